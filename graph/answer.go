package graph

import (
	"context"
	"fmt"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// Answer is a delivered object, written by the projector with the selection it was asked with.
type Answer struct{}

// ResourceAnswer is a delivered resource: always an *Answer.
type ResourceAnswer interface{ IsResource() }

// RouteAnswer is what a path leads to: always an *Answer.
type RouteAnswer interface{ IsRouteResult() }

func (*Answer) IsResource()    {}
func (*Answer) IsRouteResult() {}

func (a *Answer) MarshalGQL(w io.Writer) {}
func (a *Answer) UnmarshalGQL(v any) error { return fmt.Errorf("an answer is not an input") }

var _ graphql.Marshaler = (*Answer)(nil)
var _ = context.Background
