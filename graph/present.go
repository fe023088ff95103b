package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

// public is what a client is told about a code whose error has no public text of its own.
var public = map[tutti.Code]string{
	tutti.BadRequest:         "The request is not well formed.",
	tutti.InvalidValue:       "A value is not right.",
	tutti.MalformedRef:       "A ref is not of the form source:kind/id.",
	tutti.UnknownSource:      "A source or kind is not configured.",
	tutti.UnknownComposition: "There is no such composition.",
	tutti.UnknownChannel:     "There is no such channel.",
	tutti.UnknownAttribute:   "There is no such attribute.",
	tutti.DeprecatedAttr:     "The attribute was removed.",
	tutti.UnknownLocale:      "No configured language can stand in for the one asked for.",
	tutti.UnknownParam:       "The composition has no such param.",
	tutti.MissingParam:       "A param is missing.",
	tutti.ContextTooLarge:    "The context is too large.",
	tutti.TooComplex:         "The operation exceeds a limit.",
	tutti.Unauthenticated:    "A valid key is needed.",
	tutti.Forbidden:          "This key may not do or see that.",
	tutti.NotFound:           "It does not exist, or not for you.",
	tutti.Suppressed:         "The item is withdrawn.",
	tutti.Withheld:           "The item may not be shown.",
	tutti.Conflict:           "Somebody else saved first.",
	tutti.Invalid:            "It does not pass its checks.",
	tutti.Unavailable:        "A source does not answer usefully.",
	tutti.Timeout:            "It took too long.",
	tutti.RateLimited:        "A source asks to wait.",
	tutti.TooLarge:           "It is too large.",
	tutti.BadAnswer:          "A source gave an answer that cannot be used.",
	tutti.TooManyRefs:        "More refs than one experience may gather.",
	tutti.Locked:             "Another process owns the database.",
	tutti.UntrustedOperation: "This operation is not among the trusted ones.",

	tutti.PersistedNotFound:     persistedNotFound,
	tutti.PersistedNotSupported: persistedNotSupported,

	tutti.Internal: "Something went wrong on our side. Tell us the request id.",
}

// present makes the public form of an error: a *tutti.Error shows its message, field and hint;
// any other error only what its code says. What is our mistake is logged whole, with the
// request id.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{}
	cause := err
	var located *gqlerror.Error
	if errors.As(err, &located) {
		out.Path, out.Locations = located.Path, located.Locations
		if located.Err != nil {
			cause = located.Err
		}
	}
	code := codeOf(cause)
	var own *tutti.Error
	if errors.As(cause, &own) && own.Code == code && code != tutti.Internal {
		out.Message = sentence(own.Message)
	} else {
		own, out.Message = nil, public[code]
	}
	if out.Message == "" {
		out.Message = public[tutti.Internal]
	}
	out.Extensions = map[string]any{"code": string(code), "requestId": RequestIDFrom(ctx)}
	if own != nil && own.Field != "" {
		out.Extensions["field"] = own.Field
	}
	if own != nil && own.Hint != "" {
		out.Extensions["hint"] = own.Hint
	}
	if code == tutti.Internal {
		s.log.ErrorContext(ctx, "answering a request", "request", RequestIDFrom(ctx), "path", out.Path.String(), "err", err)
	}
	return out
}

func codeOf(err error) tutti.Code {
	code := tutti.CodeOf(err)
	if code != tutti.Internal {
		return code
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return tutti.Timeout
	case errors.Is(err, context.Canceled):
		return tutti.Unavailable // nobody waits for the answer
	}
	return code
}

// sentence begins a message with a capital, as all public ones do.
func sentence(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// presentAll presents a list, taking joined errors apart.
func (s *Server) presentAll(ctx context.Context, list gqlerror.List) gqlerror.List {
	var out gqlerror.List
	for _, e := range list {
		for _, part := range parts(e) {
			out = append(out, s.present(ctx, part))
		}
	}
	return out
}

// parts takes apart public errors that errors.Join joined; each keeps the path and locations.
func parts(e *gqlerror.Error) []error {
	joined, ok := e.Err.(interface{ Unwrap() []error })
	if !ok {
		return []error{e}
	}
	var list []error
	for _, part := range joined.Unwrap() {
		if _, public := part.(*tutti.Error); !public {
			return []error{e}
		}
		list = append(list, &gqlerror.Error{Err: part, Message: part.Error(), Path: e.Path, Locations: e.Locations})
	}
	return list
}

// keep is the presenter that gqlgen calls: it only notes where an error came, so that joined
// errors can be taken apart when all are there.
func keep(ctx context.Context, err error) *gqlerror.Error {
	var located *gqlerror.Error
	if errors.As(err, &located) {
		return located
	}
	return gqlerror.WrapPath(append(ast.Path(nil), graphql.GetPath(ctx)...), err)
}

// recovered turns a panic into an error, and logs where it came from.
func (s *Server) recovered(ctx context.Context, p any) error {
	s.log.LogAttrs(ctx, slog.LevelError, "recovering from a panic", slog.String("request", RequestIDFrom(ctx)),
		slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
	return tutti.Errorf(tutti.Internal, "recovering from a panic: %v", p)
}
