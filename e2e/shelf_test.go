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

// shelfConfig is a small shop: one source, two markets, one of which has another currency than the shop. A real shop
// on a busy machine gets the time that it needs.
const shelfConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en, de]}
markets:
  us: {currency: USD}
  eu: {currency: EUR}
sources:
  catalog:
    connector: vendure
    url: ${SHOP_URL}
    settings: {channelToken: "${SHOP_CHANNEL:-}", currencies: USD}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${SHOP_HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      product: {access: public}
      picture: {access: public}
      collection: {access: public}
      collectionPicture: {access: public}
channels:
  web: {widths: [320, 640], formats: [jpeg]}
componentTypes:
  Feature:
    version: 1
    props:
      item: {type: resource, accepts: [Product, Asset]}
  Shelf:
    version: 1
    props:
      items: {type: resources, accepts: [Product, Record], first: 6}
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
params: [{name: another, type: string}]
slots:
  - id: main
    name: main
    components:
      - id: feature
        type: Feature
        props:
          item: {ref: "catalog:product/1"}
      - id: few
        type: Shelf
        props:
          items: {refs: ["catalog:product/2", "catalog:product/990001", "catalog:product/3", "catalog:collection/7"]}
      - id: dearest
        type: Shelf
        props:
          items: {select: {source: catalog, kind: product, filter: {collection: computers}, sort: -price, first: 4}}
      - id: another
        type: Feature
        props:
          item: {ref: "='catalog:collectionPicture/' + params.another"}
`
