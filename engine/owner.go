package engine

import "github.com/tuttihq/tutti"

// permission says whether items of a kind may be fetched for an owner at all.
type permission int

const (
	mayFetch     permission = iota
	kindUnknown             // the kind is not configured
	kindInternal            // the kind is never delivered
	ownerless               // the kind belongs to visitors, and nobody is proven there
)

// mayAsk decides before anything is fetched. What it denies costs no call.
func mayAsk(k *tutti.Kind, known bool, owner tutti.Owner) permission {
	switch {
	case !known:
		return kindUnknown
	case k.Access == tutti.AccessVisitor:
		if owner.InSource[k.Source] == "" {
			return ownerless
		}
		return mayFetch
	case k.Access == tutti.AccessPublic:
		return mayFetch
	}
	return kindInternal
}

// mayHave decides after fetching, for every single item and on every hit: what belongs to a
// person comes only to that person, and what should but names nobody comes to nobody.
func mayHave(k *tutti.Kind, r *tutti.Resource, owner tutti.Owner) bool {
	switch k.Access {
	case tutti.AccessPublic:
		return true
	case tutti.AccessVisitor:
		mine := owner.InSource[k.Source]
		return mine != "" && r.Owner == mine
	}
	return false
}
