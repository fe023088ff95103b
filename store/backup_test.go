package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// FuzzReadBackup: whatever stands in a file, reading it is no panic; what is refused is refused
// with a code; and a row that is given has the types of its columns.
func FuzzReadBackup(f *testing.F) {
	head := `{"tutti":"backup","format":1,"schema":3}` + "\n"
	f.Add(head + `{"end":true}` + "\n")
	f.Add(head + `{"table":"events","row":{"source":"dam","id":"1","seen_at":"2026-11-21T11:00:00Z"}}` + "\n" + `{"end":true,"rows":1}` + "\n")
	f.Add(head + `{"table":"secrets","row":{"name":"deployment","value":"AAAA"}}` + "\n" + `{"end":true,"rows":1}` + "\n")
	f.Add(head + `{"table":"drafts","row":{"revision":1.5}}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "backup.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := ReadBackup(path, 3, func(table Table, values []any) error {
			for i, c := range table.Columns {
				var ok bool
				switch c.Type {
				case TextColumn:
					_, ok = values[i].(string)
				case IntColumn:
					_, ok = values[i].(int64)
				case TimeColumn:
					_, ok = values[i].(time.Time)
				case BytesColumn:
					_, ok = values[i].([]byte)
				}
				if !ok && values[i] != nil {
					t.Errorf("%s.%s is a %T", table.Name, c.Name, values[i])
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, tutti.Invalid) {
			t.Errorf("got error %v, want code %s", err, tutti.Invalid)
		}
	})
}
