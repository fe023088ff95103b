# make help lists what there is to do.

TOOL := go tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help build run test e2e bench bench-plots generate check lint fmt clean

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## makes bin/tutti, one file with everything in it
	CGO_ENABLED=0 go build -trimpath -o bin/tutti ./cmd/tutti

run: build ## starts the server with the travel demo
	bin/tutti demo

test: ## runs every test with the race detector, on SQLite and on a throw-away PostgreSQL
	scripts/test

e2e: ## proofs against real software: Vendure, Directus, Request Tracker, feeds of Eleventy, the HTTP audits, Apollo Client, urql, a browser (installed once)
	scripts/e2e

bench: ## prints the figures of docs/performance.md
	@scripts/bench; held=$$?; \
	go test -p 1 -run '^$$' -bench . -benchmem -benchtime 0.5s ./cache ./engine ./graph ./sources ./internal/expr ./internal/text ./cmd/tutti && exit $$held

bench-plots: ## draws what a page costs with more refs, rules, components and contexts, into docs/plots
	@scripts/bench -plots docs/plots -rounds 5 -seconds 2

generate: ## writes the code that follows from schema.graphql
	go tool gqlgen generate

check: ## fails when generated code, format, vet or staticcheck is not as it should be
	scripts/check

lint: ## checks format, vet and staticcheck
	@unformatted=$$($(TOOL) gofumpt -l .); if [ -n "$$unformatted" ]; then \
		echo "Not formatted (make fmt does it):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...

fmt: ## formats the code
	$(TOOL) gofumpt -w .

clean: ## removes what was built (e2e keeps its cache in the user's cache folder)
	rm -rf bin
