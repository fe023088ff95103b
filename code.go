package tutti

import (
	"errors"
	"fmt"
)

// Code tells a program what went wrong. It is an error itself, so that
// errors.Is(err, tutti.NotFound) works through any wrapping.
type Code string

// The closed list of codes. Each is a value of the schema's enum ErrorCode.
const (
	BadRequest         Code = "BAD_REQUEST"          // the request is not well formed
	InvalidValue       Code = "INVALID_VALUE"        // a value has the wrong type or is out of range
	MalformedRef       Code = "MALFORMED_REF"        // not source:kind/id
	UnknownSource      Code = "UNKNOWN_SOURCE"       // a ref or selection names a source or kind that is not configured
	UnknownComposition Code = "UNKNOWN_COMPOSITION"  // no published composition of that name
	UnknownChannel     Code = "UNKNOWN_CHANNEL"      // no such channel in the config
	UnknownAttribute   Code = "UNKNOWN_ATTRIBUTE"    // an attribute that nobody declared
	DeprecatedAttr     Code = "DEPRECATED_ATTRIBUTE" // a removed attribute was sent and ignored (only in Problems)
	UnknownLocale      Code = "UNKNOWN_LOCALE"       // the locale's chain reaches no configured locale
	UnknownParam       Code = "UNKNOWN_PARAM"        // a param that the composition does not declare
	MissingParam       Code = "MISSING_PARAM"        // a required param was not given
	ContextTooLarge    Code = "CONTEXT_TOO_LARGE"    // the context exceeds 16 KB
	TooComplex         Code = "TOO_COMPLEX"          // the operation exceeds a limit
	Unauthenticated    Code = "UNAUTHENTICATED"      // no key, a wrong or expired key, a bad visitor token
	Forbidden          Code = "FORBIDDEN"            // this key class may not do or see that
	NotFound           Code = "NOT_FOUND"            // it does not exist, or not for you
	Suppressed         Code = "SUPPRESSED"           // an operator withdrew the item
	Withheld           Code = "WITHHELD"             // its rights or its moderation keep the item back
	Conflict           Code = "CONFLICT"             // somebody else saved first
	Invalid            Code = "INVALID"              // a stored thing does not pass its checks
	Unavailable        Code = "UNAVAILABLE"          // a source does not answer usefully
	Timeout            Code = "TIMEOUT"              // a source does not answer in time
	RateLimited        Code = "RATE_LIMITED"         // a source asks to wait
	TooLarge           Code = "TOO_LARGE"            // an answer exceeds its size limit
	BadAnswer          Code = "BAD_ANSWER"           // an answer that is not what the manifest promises
	TooManyRefs        Code = "TOO_MANY_REFS"        // more refs than one experience may gather
	Locked             Code = "LOCKED"               // another process owns the database
	UntrustedOperation Code = "UNTRUSTED_OPERATION"  // only trusted operations may be asked for here, and this is none

	// By these two, clients with persisted operations know what to send next.
	PersistedNotFound     Code = "PERSISTED_QUERY_NOT_FOUND"     // no operation is known by this identifier
	PersistedNotSupported Code = "PERSISTED_QUERY_NOT_SUPPORTED" // operations are not kept by their hash here
	Internal              Code = "INTERNAL"                      // a mistake of ours
)

// NoItem reports whether the code says that there is no item to show, and nothing failed.
func (c Code) NoItem() bool { return c == NotFound || c == Suppressed || c == Withheld }

// Error makes a Code usable as a target of errors.Is.
func (c Code) Error() string { return string(c) }

// Error is an error with a code. Message is public: it must hold no secret, no address of an
// origin and no personal value. Cause is for the log alone.
type Error struct {
	Code    Code
	Message string
	Field   string // the input field or path that is wrong; "" when none is
	Hint    string // what would be right; "" when nothing useful can be said
	Line    int    // of the text that Field holds, from 1; 0 when the mistake has no place in a text
	Column  int    // in characters, from 1; 0 without Line
	Cause   error
}

// Error gives the whole text, cause included, for logs. Never send it to a client: use Public.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Hint != "" {
		s += " " + e.Hint
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is this error's code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Errorf makes an error with a code. The format reads as in fmt.Errorf; the whole text is for
// the log. A cause given with %w is kept. Say what was being done, in the -ing form.
func Errorf(c Code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &coded{code: c, err: err}
}

type coded struct {
	code Code
	err  error
}

func (c *coded) Error() string        { return c.err.Error() }
func (c *coded) Unwrap() error        { return c.err }
func (c *coded) Is(target error) bool { t, ok := target.(Code); return ok && t == c.code }

// CodeOf gives the outermost code in err's chain, Internal when there is none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		switch t := e.(type) {
		case *Error:
			return t.Code
		case *coded:
			return t.code
		case Code:
			return t
		}
	}
	return Internal
}
