package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tuttihq/tutti"
)

// operationsCommand holds what can be done with trusted operations.
type operationsCommand struct {
	Push   operationsPushCommand   `cmd:"" help:"Make the operations of an app's manifest trusted."`
	List   operationsListCommand   `cmd:"" help:"Show all trusted operations, and which of them cannot be answered any more."`
	Remove operationsRemoveCommand `cmd:"" help:"Take trusted operations away."`
}

type operationsPushCommand struct {
	apiFlags
	Manifest string `arg:"" help:"The file that the app's tools wrote." type:"existingfile"`
	DryRun   bool   `help:"Only check whether they can be answered, and tell how many are new."`
}

// Help shows how to call it.
func (operationsPushCommand) Help() string {
	return `Run it before an app is released, so that the server knows what the app will ask for. Two forms of manifest are read:

  {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id", "name", "type", "body"}]}
      by Apollo's tools (npm @apollo/generate-persisted-query-manifest, Apollo iOS, Apollo Kotlin)
  {"<id>": "<text>"}
      by Relay's compiler (persistConfig), graphql-codegen's client preset (persistedDocuments) and gql.tada

Every operation is checked first; when one cannot be answered, none is stored. What is trusted already stays as it is.

Examples:
  tutti operations push persisted-query-manifest.json
  tutti operations push src/gql/persisted-documents.json --dry-run`
}

// How much goes into one request: well below the server's limits.
const (
	pushedOperations = 200
	pushedBytes      = 256 << 10
)

const pushMutation = `mutation Push($operations: [OperationInput!]!, $dryRun: Boolean) {
  pushOperations(operations: $operations, dryRun: $dryRun) { added known }
}`

// Run checks everything, and then stores it.
func (c *operationsPushCommand) Run(ctx context.Context, out, _ io.Writer) error {
	all, err := readManifest(c.Manifest)
	if err != nil {
		return err
	}
	a, err := c.connect()
	if err != nil {
		return err
	}
	added, known, err := a.push(ctx, all, true)
	if err == nil && !c.DryRun {
		added, known, err = a.push(ctx, all, false)
	}
	if err != nil {
		return err
	}
	verb := "stored"
	if c.DryRun {
		verb = "would be stored"
	}
	fmt.Fprintf(out, "%s, %d known already.\n", count(added, "operation")+" "+verb, known)
	return nil
}

// push sends operations in as many requests as they need.
func (a *api) push(ctx context.Context, all []manifestOperation, dryRun bool) (added, known int, err error) {
	for len(all) > 0 {
		n, bytes := 0, 0
		for n < len(all) && n < pushedOperations && (n == 0 || bytes+len(all[n].Text) <= pushedBytes) {
			bytes += len(all[n].Text)
			n++
		}
		var answer struct{ PushOperations struct{ Added, Known int } }
		if err := a.do(ctx, pushMutation, map[string]any{"operations": all[:n], "dryRun": dryRun}, &answer); err != nil {
			return 0, 0, err
		}
		added, known, all = added+answer.PushOperations.Added, known+answer.PushOperations.Known, all[n:]
	}
	return added, known, nil
}

type operationsListCommand struct {
	apiFlags
	Broken bool          `help:"Only those that cannot be answered as the config is."`
	Unused time.Duration `help:"Only those that no app asked for, for so long, such as 2160h." placeholder:"DURATION"`
	IDs    bool          `name:"ids" help:"Print identifiers alone, one a line."`
}

// Help shows how to call it.
func (operationsListCommand) Help() string {
	return `The state is ok, or what is wrong with the operation as the config is now.

Examples:
  tutti operations list
  tutti operations list --broken
  tutti operations list --unused 2160h --ids > old.txt`
}

// listed is a trusted operation as the server tells it.
type listed struct {
	ID        string
	Name      string
	CreatedBy string
	CreatedAt time.Time
	UsedAt    *time.Time
	Problem   *string
}

const operationsQuery = `query Operations($after: String) {
  operations(first: 100, after: $after) { nodes { id name createdBy createdAt usedAt problem } pageInfo { endCursor hasNextPage } }
}`

// operations gives all trusted operations, by id.
func (a *api) operations(ctx context.Context) ([]listed, error) {
	var all []listed
	for after := (*string)(nil); ; {
		var page struct {
			Operations struct {
				Nodes    []listed
				PageInfo struct {
					EndCursor   *string
					HasNextPage bool
				}
			}
		}
		if err := a.do(ctx, operationsQuery, map[string]any{"after": after}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Operations.Nodes...)
		after = page.Operations.PageInfo.EndCursor
		if !page.Operations.PageInfo.HasNextPage || after == nil {
			return all, nil
		}
	}
}

// Run prints a table.
func (c *operationsListCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	all, err := a.operations(ctx)
	if err != nil {
		return err
	}
	before := time.Now().Add(-c.Unused)
	all = slices.DeleteFunc(all, func(o listed) bool {
		used := o.CreatedAt // nobody could ask for it before
		if o.UsedAt != nil {
			used = o.UsedAt.Add(24 * time.Hour) // it is noted to the day
		}
		return c.Broken && o.Problem == nil || c.Unused > 0 && used.After(before)
	})
	if c.IDs {
		for _, o := range all {
			fmt.Fprintln(out, o.ID)
		}
		return nil
	}
	return printOperations(out, all)
}

func printOperations(out io.Writer, all []listed) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSTORED\tBY\tUSED\tSTATE")
	for _, o := range all {
		name, used, state := o.Name, "-", "ok"
		if name == "" {
			name = "-"
		}
		if o.UsedAt != nil {
			used = o.UsedAt.UTC().Format(time.DateOnly)
		}
		if o.Problem != nil {
			state = *o.Problem
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, name, day(o.CreatedAt), o.CreatedBy, used, state)
	}
	return w.Flush()
}

type operationsRemoveCommand struct {
	apiFlags
	IDs []string `arg:"" name:"id" help:"Identifiers, as tutti operations list shows them."`
}

// Help shows how to call it.
func (operationsRemoveCommand) Help() string {
	return `Apps in use that still ask for one get an error: look first when it was used last.

Examples:
  tutti operations remove sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e
  tutti operations list --unused 2160h --ids | xargs tutti operations remove`
}

// Run removes them.
func (c *operationsRemoveCommand) Run(ctx context.Context, out, _ io.Writer) error {
	a, err := c.connect()
	if err != nil {
		return err
	}
	removed := 0
	for ids := range slices.Chunk(c.IDs, pushedOperations) {
		var answer struct{ RemoveOperations int }
		if err := a.do(ctx, `mutation Remove($ids: [ID!]!) { removeOperations(ids: $ids) }`, map[string]any{"ids": ids}, &answer); err != nil {
			return err
		}
		removed += answer.RemoveOperations
	}
	if removed == 0 {
		return &tutti.Error{Code: tutti.NotFound, Message: "None of these operations is trusted.", Hint: "tutti operations list shows all."}
	}
	fmt.Fprintf(out, "%s removed.\n", count(removed, "operation"))
	return nil
}
