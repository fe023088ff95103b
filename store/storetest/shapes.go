package storetest

import (
	"context"
	"testing"

	"github.com/tuttihq/tutti"
)

func testShapes(t *testing.T, database Database) {
	ctx := context.Background()
	shape := func(source, kind, body string, minutes int) tutti.Shape {
		return tutti.Shape{Source: source, Kind: kind, Body: []byte(body), At: after(minutes)}
	}
	open := database(t)
	one, other := openOne(t, open), openOne(t, open)
	list, err := one.Shapes(ctx)
	noError(t, err)
	equal(t, "none", list, []tutti.Shape{})
	noError(t, one.KeepShape(ctx, shape("shop", "product", `{"a": 1}`, 1)))
	noError(t, other.KeepShape(ctx, shape("dam", "asset", `{}`, 2)))
	noError(t, other.KeepShape(ctx, shape("shop", "product", `{"ü":"x"}`, 3)))
	list, err = one.Shapes(ctx)
	noError(t, err)
	equal(t, "all", list, []tutti.Shape{shape("dam", "asset", `{}`, 2), shape("shop", "product", `{"ü":"x"}`, 3)})
	for _, bad := range []tutti.Shape{shape("", "product", `{}`, 1), shape("shop", "", `{}`, 1), shape("shop", "product", `{`, 1), shape("shop", "product", ``, 1)} {
		if err := one.KeepShape(ctx, bad); tutti.CodeOf(err) != tutti.Invalid {
			t.Errorf("%v is kept: %v", bad, err)
		}
	}
}
