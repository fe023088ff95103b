package storetest

import (
	"slices"
	"testing"

	"github.com/tuttihq/tutti/store"
)

// CheckTables compares the columns that a migrated database has with those that backups hold.
// An engine's test gives it the columns by table.
func CheckTables(t *testing.T, columns map[string][]string) {
	t.Helper()
	notInBackups := map[string]string{
		"changes":          "a counter: importing moves it",
		"tutti_migrations": "of the migrations themselves",
	}
	ofOneServer := map[string][]string{"outbox": {"xid"}} // numbers of transactions; not in every engine
	for table, names := range ofOneServer {
		columns[table] = slices.DeleteFunc(columns[table], func(c string) bool { return slices.Contains(names, c) })
	}
	for table := range notInBackups {
		if columns[table] == nil {
			t.Errorf("there is no table %s: take it off this list", table)
		}
		delete(columns, table)
	}
	for _, table := range store.Tables() {
		want := map[string]bool{}
		for _, c := range table.Columns {
			want[c.Name] = true
		}
		for _, c := range columns[table.Name] {
			if !want[c] {
				t.Errorf("backups lack %s.%s: add it to store.Tables", table.Name, c)
			}
			delete(want, c)
		}
		for c := range want {
			t.Errorf("the database lacks %s.%s of store.Tables", table.Name, c)
		}
		delete(columns, table.Name)
	}
	for table := range columns {
		t.Errorf("backups lack the table %s: add it to store.Tables", table)
	}
}
