package tutti

import "slices"

// Unread tells of a field of a record that is there and could not be read: it is not what the manifest
// promises. What stands there is never told.
type Unread struct {
	Field   string
	Pointer string // where in the record it was looked for (RFC 6901); of what is computed of several places, what they have in common
}

// WithUnread notes fields that could not be read. Fields without any cost nothing for it.
func (f Fields) WithUnread(all []Unread) Fields {
	if len(all) == 0 {
		return f
	}
	return f.beside(all)
}

// beside gives the Fields with something that is none of their values.
func (f Fields) beside(v any) Fields {
	others := []any{}
	if f.others != nil {
		others = slices.Clone(*f.others)
	}
	others = append(others, v)
	f.others = &others
	return f
}

// Unread gives the fields that could not be read; nil when all could.
func (f *Fields) Unread() []Unread {
	if f.others == nil {
		return nil
	}
	for i := len(*f.others) - 1; i >= 0; i-- {
		if all, ok := (*f.others)[i].([]Unread); ok {
			return all
		}
	}
	return nil
}

// UnreadField tells of one field that could not be read; nil for every other.
func (f *Fields) UnreadField(name string) *Unread {
	all := f.Unread()
	if i := slices.IndexFunc(all, func(u Unread) bool { return u.Field == name }); i >= 0 {
		return &all[i]
	}
	return nil
}
