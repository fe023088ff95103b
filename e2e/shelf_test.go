//go:build e2e

package e2e

import (
	"regexp"
	"testing"
)

var anyKey = regexp.MustCompile(`tutti_[a-z]+_[A-Za-z0-9_-]{43}`)

func keyIn(t *testing.T, out string) string {
	t.Helper()
	key := anyKey.FindString(out)
	if key == "" {
		t.Fatalf("no key was printed: %s", out)
	}
	return key
}

// shelfConfig is a small shop: one source, two component types. A real shop on a busy machine gets
// the time that it needs.
const shelfConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en]}
markets:
  us: {currency: USD}
sources:
  catalog:
    connector: vendure
    url: ${SHOP_URL}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${SHOP_HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 5s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      product: {access: public}
      picture: {access: public}
channels:
  web: {widths: [320, 640], formats: [webp, jpeg]}
componentTypes:
  Feature:
    version: 1
    props:
      item: {type: resource, accepts: [Product], required: true}
  Shelf:
    version: 1
    props:
      headline: {type: text}
      items: {type: resources, accepts: [Product], first: 6}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const shelf = `
id: shelf
type: page
title: The shelf
slots:
  - id: main
    name: main
    components:
      - id: feature
        type: Feature
        props:
          item: {ref: "catalog:product/3"}
      - id: row
        type: Shelf
        props:
          headline: {text: "All we have"}
          items: {select: {source: catalog, kind: product, first: 6}}
`
