package engine

import "github.com/tuttihq/tutti"

// lack tells what is wrong with one thing in public words. It never holds the text of an
// error: that may name what only the log may know. An item of somebody else reads exactly as one
// that does not exist.
func lack(path string, ref tutti.Ref, source string, code tutti.Code, stale bool) tutti.Problem {
	p := tutti.Problem{Path: path, Ref: ref.String(), Code: code, Stale: stale}
	if source == "" {
		source = ref.Source
	}
	what := "The source " + source
	switch code {
	case tutti.NotFound:
		p.Message = "There is no such item, or it is not for you."
	case tutti.Suppressed:
		p.Message = "The item is withdrawn."
	case tutti.Withheld:
		p.Message = "Its rights or its moderation keep the item back."
	case tutti.UnknownSource:
		p.Message = "No such source or kind is configured."
	case tutti.Timeout:
		p.Message = what + " did not answer in time."
	case tutti.RateLimited:
		p.Message = what + " asks to wait."
	case tutti.TooLarge:
		p.Message = what + " sent more than may be taken."
	case tutti.BadAnswer:
		p.Message = what + " sent something that cannot be read."
	case tutti.TooManyRefs:
		p.Message = "One experience gathers 200 items at most, over three steps from item to item."
	case tutti.Invalid, tutti.InvalidValue, tutti.MalformedRef:
		p.Message = "The value does not fit the prop."
	case tutti.Internal:
		p.Message = "Something went wrong on our side."
	default:
		p.Code, p.Message = tutti.Unavailable, what+" does not answer."
	}
	if source == "" && p.Code == tutti.Unavailable {
		p.Message = "It cannot be had now."
	}
	return p
}

// unread tells of a field of an item that its origin does not send as the manifest says.
func unread(path string, ref tutti.Ref, u tutti.Unread, stale bool) tutti.Problem {
	return tutti.Problem{
		Path: path, Ref: ref.String(), Code: tutti.BadAnswer, Stale: stale, Field: u.Field, Pointer: u.Pointer,
		Message: "The source " + ref.Source + " sent a " + ref.Kind + " whose " + u.Field + " cannot be read.",
	}
}

// UnreadOf gives the problems of an item whose origin does not send it as the manifest says; nil when it does.
func UnreadOf(r *tutti.Resource) []tutti.Problem {
	var all []tutti.Problem
	for _, u := range r.Fields.Unread() {
		all = append(all, unread(u.Field, r.Ref, u, false))
	}
	return all
}
