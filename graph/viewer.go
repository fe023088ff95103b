package graph

import (
	"context"

	"github.com/tuttihq/tutti"
)

// Viewer is who asks: a key, and the visitor that a verified token proves.
type Viewer struct {
	Class   tutti.KeyClass
	KeyID   string
	KeyName string
	Origins []string
	Visitor string         // proven by a token; "" without one
	Claims  map[string]any // of the verified token; nil without one. Numbers are json.Number
}

// Management reports whether the viewer may change things and see what origins sent.
func (v Viewer) Management() bool { return v.Class == tutti.ManagementKey }

// Editing reports whether the viewer may look at drafts and is told why.
func (v Viewer) Editing() bool { return v.Class == tutti.PreviewKey || v.Class == tutti.ManagementKey }

type viewerKey struct{}

// WithViewer puts a viewer into a context.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, &v)
}

// ViewerFrom gives the viewer of a request; the zero Viewer, which may do nothing, outside of one.
func ViewerFrom(ctx context.Context) Viewer {
	if v, ok := ctx.Value(viewerKey{}).(*Viewer); ok {
		return *v
	}
	return Viewer{}
}

type generationKey struct{}

// WithGeneration puts a generation into a context, and its schema for the projector.
func WithGeneration(ctx context.Context, g *Generation) context.Context {
	return WithSchema(context.WithValue(ctx, generationKey{}, g), g.schema)
}

// GenerationFrom gives the generation that answers a request; nil outside of one.
func GenerationFrom(ctx context.Context) *Generation {
	g, _ := ctx.Value(generationKey{}).(*Generation)
	return g
}
