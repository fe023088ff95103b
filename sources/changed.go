package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// compiledWebhook is a WebhookSpec ready to run.
type compiledWebhook struct {
	scheme    scheme
	format    string
	id        *expression
	changes   []compiledChange
	handshake *compiledHandshake
	sameFor   time.Duration // 0 = for ever
	again     time.Duration
}

type compiledChange struct {
	when *expression
	kind string
	ids  *expression // nil = all of the kind
}

var webhookFormats = []string{"json", "form", "text"}

func (c *compiler) webhook() *compiledWebhook {
	w := c.m.Webhook
	if w == nil {
		return nil
	}
	out := &compiledWebhook{scheme: c.scheme("webhook.scheme", w.Scheme), format: w.Format, id: c.optional("webhook.id", w.ID, eventNames)}
	if w.Format != "" && !slices.Contains(webhookFormats, w.Format) {
		c.wrong("webhook.format", unknown(w.Format), "Write one of "+list(webhookFormats)+".")
	}
	if _, ok := c.m.Secrets[w.Secret]; w.Secret != "" && !ok {
		c.wrong("webhook.secret", "is no declared secret", declareOr("secrets", w.Secret, sortedKeys(c.m.Secrets)))
	}
	if len(w.Changes) == 0 {
		c.wrong("webhook.changes", "is missing", "Write what an event changes, for example:  changes: [{kind: item, ids: event.ids}]")
	}
	for i, ch := range w.Changes {
		at := "webhook.changes." + strconv.Itoa(i)
		if !c.knowsRecord(ch.Kind) {
			c.wrong(at+".kind", "is no kind of the manifest, and no record that one is made of", oneOf(ch.Kind, c.records()))
		}
		out.changes = append(out.changes, compiledChange{when: c.optional(at+".when", ch.When, eventNames), kind: ch.Kind, ids: c.optional(at+".ids", ch.IDs, eventNames)})
	}
	out.handshake = c.handshake(w.Handshake)
	out.again, out.sameFor = c.again(w.Again), c.sameFor(w, &out.scheme)
	for i, kind := range w.Complete {
		if _, ok := c.m.Kinds[kind]; !ok {
			c.wrong("webhook.complete."+strconv.Itoa(i), "is no kind of the manifest", "Write one of "+list(sortedKeys(c.m.Kinds))+".")
		}
	}
	return out
}

// sameUnsigned is how long the same message is a repetition where nothing says that it is: as long as a
// system may take to send it twice at once.
const sameUnsigned = 10 * time.Second

// sameFor is how long the same bytes are a repetition; 0 = for ever.
func (c *compiler) sameFor(w *WebhookSpec, s *scheme) time.Duration {
	told := w.ID != "" || s.ID != "" || s.Timestamp.Header != ""
	if w.SameFor == "" {
		if !told && s.Algorithm == "secret" {
			return sameUnsigned
		}
		return 0
	}
	d, err := time.ParseDuration(w.SameFor)
	switch {
	case err != nil || d < time.Second || d > mostAgain:
		c.wrong("webhook.sameFor", "is no duration from 1s to 1m", "Write how long the system may take to repeat a message, for example:  sameFor: 10s")
	case told:
		c.wrong("webhook.sameFor", "is beside an id or a signed time, which tell a repetition for sure", "Remove it.")
	}
	return d
}

// knowsRecord reports whether a change of that kind of record can concern anything.
func (c *compiler) knowsRecord(kind string) bool { return slices.Contains(c.records(), kind) }

// records are the kinds, and the kinds of records that items are made of.
func (c *compiler) records() []string {
	all := map[string]bool{}
	for name, k := range c.m.Kinds {
		all[name] = true
		if k != nil {
			for tag := range k.Tags {
				all[tag] = true
			}
		}
	}
	return sortedKeys(all)
}

// listen makes ready what the messages of a source are verified with, and tells what is wrong with it.
func (c *manifestConnector) listen(cfg config.Source, place func(path, what, hint string) error) []error {
	m := c.manifest
	if m.Webhook == nil {
		if !cfg.Webhook.Secret.IsZero() {
			return []error{place("webhook", "is not possible: the connector "+m.Name+" knows no webhooks", "Remove it.")}
		}
		return nil
	}
	v := &verifier{scheme: c.webhook.scheme, now: c.now}
	current := cfg.Webhook.Secret
	if current.IsZero() {
		current = cfg.Secrets[m.Webhook.Secret]
	}
	var problems []error
	for i, secret := range append([]tutti.Secret{current}, cfg.Webhook.Former...) {
		if secret.IsZero() {
			continue
		}
		b, ok := v.scheme.secretBytes(secret)
		if !ok {
			at, what := "webhook.secret", "is shorter than 16 characters, and it is itself sent with each message"
			if i > 0 {
				at = "webhook.former." + strconv.Itoa(i-1)
			}
			if v.scheme.SecretAs != "" {
				what = "is not base64, as the connector " + m.Name + " has it"
			}
			problems = append(problems, place(at, what, ""))
		}
		v.secrets = append(v.secrets, b)
	}
	c.hook = v
	return problems
}

// TellsAll reports whether every change and deletion of a kind is posted, when the webhook is set up as the manifest says.
func (c *manifestConnector) TellsAll(kind string) bool {
	return slices.Contains(c.manifest.Webhook.Complete, kind)
}

// Listens reports whether there is what webhooks are verified with.
func (c *manifestConnector) Listens() bool { return c.webhook != nil && c.hook.listens() }

// Changed verifies a webhook and tells what it changes. An event that concerns no kind changes
// nothing. When an id cannot be read, everything of its kind counts as changed.
func (c *manifestConnector) Changed(r *http.Request, body []byte) (Event, error) {
	if !c.Listens() {
		return Event{}, forged("the source takes none")
	}
	id, err := c.hook.verify(r, body)
	if err != nil {
		return Event{Quiet: c.webhook.scheme.Quiet}, err
	}
	message, err := c.webhook.read(body)
	if err != nil {
		return Event{}, err
	}
	vars := map[string]any{"event": message, "settings": c.settings}
	if h := c.webhook.handshake; h != nil && h.when != nil && h.when.truth(vars) {
		return Event{Ping: true}, nil
	}
	e := Event{ID: id, SameFor: c.webhook.sameFor, Again: c.webhook.again}
	if c.webhook.id != nil {
		if e.ID, err = c.webhook.ownID(vars); err != nil {
			return Event{}, err
		}
	}
	for _, ch := range c.webhook.changes {
		if ch.when != nil && !ch.when.truth(vars) {
			continue
		}
		change := Change{Kind: ch.kind}
		if ch.ids != nil {
			if v, ok, err := ch.ids.eval(vars); ok && err == nil {
				if ids, isTexts := toTexts(v); isTexts {
					change.IDs = ids
				}
			}
		}
		e.Changes = append(e.Changes, change)
	}
	return e, nil
}

// ownID is what the manifest says that a repeated delivery has in common. A message without it is
// refused: by its other parts a second change could look like a repetition of the first.
func (w *compiledWebhook) ownID(vars map[string]any) (string, error) {
	v, ok, err := w.id.eval(vars)
	own, isText := toText(v)
	if all, isList := v.([]any); isList {
		parts, bad := writeValues(all)
		own, isText = key(parts...), bad == nil && len(all) > 0
	}
	if !ok || err != nil || !isText || own == "" {
		return "", tutti.Errorf(tutti.BadRequest, "reading a webhook: it has no id, by which repeated ones are known")
	}
	sum := sha256.Sum256([]byte(own))
	return "id:" + hex.EncodeToString(sum[:]), nil
}

// read makes of a body what expressions see as event.
func (w *compiledWebhook) read(body []byte) (map[string]any, error) {
	switch w.format {
	case "text":
		return map[string]any{"text": string(body)}, nil
	case "form":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, tutti.Errorf(tutti.BadRequest, "reading a webhook: it is no form")
		}
		event := map[string]any{}
		for name := range values {
			event[name] = values.Get(name)
		}
		return event, nil
	}
	if !json.Valid(body) {
		return nil, tutti.Errorf(tutti.BadRequest, "reading a webhook: it is no JSON")
	}
	event, err := decodeObject(body)
	if err != nil {
		return nil, tutti.Errorf(tutti.BadRequest, "reading a webhook: it is no JSON object")
	}
	return event, nil
}
