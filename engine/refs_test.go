package engine

import (
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestARefAfterAnotherReadsAsAlone: knowing the ref before changes nothing.
func TestARefAfterAnotherReadsAsAlone(t *testing.T) {
	before := []tutti.Ref{{Source: "shop", Kind: "item", ID: "1"}}
	long := strings.Repeat("x", tutti.MaxRefLength-len("shop:item/"))
	for _, s := range []string{
		"shop:item/2", "shop:item/a:b/c", "shop:items/2", "shop:ite/2", "shops:item/2", "sho:item/2", "blog:post/2", "shop:item/", "shop:item", "shop/item:2", "shop:item:2", "",
		"shop:item/a\nb", "shop:item/é", "shop:item/\uFFFD", "shop:item/\xff", "shop:item/" + long, "shop:item/" + long + "x",
	} {
		want, err := tutti.ParseRef(s)
		for _, list := range [][]tutti.Ref{nil, before} {
			if got, ok := refAfter(list, s); got != want || ok != (err == nil) {
				t.Errorf("%.40q after %v is %v, %v; alone %v, %v", s, list, got, ok, want, err)
			}
		}
	}
}
