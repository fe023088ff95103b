package resolvers

import (
	"slices"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// topSlot is a slot at the top of a page: only these have a hash.
type topSlot struct{ slotObject }

func (o topSlot) Field(name string, args graph.Args) (any, error) {
	switch name {
	case "hash":
		return graph.HashOf(o.s.Name), nil
	case "unchanged":
		return graph.UnchangedOf(o.s.Name), nil
	}
	return o.slotObject.Field(name, args)
}

// slottedObject is an experience of which hashes of slots are selected.
type slottedObject struct {
	*experienceObject
	engine *engine.Engine
	had    []*graph.SlotHash // what the client has
}

// Hash names what was written of a slot.
func (o slottedObject) Hash(slot string, content []byte) string {
	return o.engine.SlotHash(slot, content)
}

// Known reports whether the client has a slot as a hash names it.
func (o slottedObject) Known(slot, hash string) bool {
	return slices.ContainsFunc(o.had, func(h *graph.SlotHash) bool { return h.Slot == slot && h.Hash == hash })
}

// whole is an experience as the operation asks for it.
func (r *Resolvers) whole(o *experienceObject, sel *graph.Selection, req *request) graph.Whole {
	if !sel.Hashes() {
		return o
	}
	return slottedObject{o, r.Engine, req.had}
}

// maxHad is how many slots a request may name.
const maxHad = 100

// have notes which slots the client has: one at least.
func (q *request) have(list []*graph.SlotHash, sel *graph.Selection) error {
	switch {
	case len(list) > maxHad:
		return &tutti.Error{Code: tutti.InvalidValue, Field: "ifNoneMatch", Message: "more slots than one request may name.", Hint: "Send 100 at most: those of the page that is asked for."}
	case !sel.Hashes():
		return &tutti.Error{
			Code: tutti.BadRequest, Field: "ifNoneMatch", Message: "an unchanged slot could not be told from an empty one.",
			Hint: "Select hash or unchanged, such as: slots { name hash unchanged components { id } }",
		}
	}
	q.had = list
	return nil
}
