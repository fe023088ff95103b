package store

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// ColumnType says how a column's values look in Go and in a backup.
type ColumnType int

const (
	TextColumn  ColumnType = iota // string
	IntColumn                     // int64
	TimeColumn                    // time.Time, UTC; RFC 3339 in a backup
	BytesColumn                   // []byte; base64 in a backup
)

// Column is a column of a table. Any may be null: then it is absent from a backup's row.
type Column struct {
	Name string
	Type ColumnType
}

// Table is a table as backups hold it; table and column names are the same in both engines.
type Table struct {
	Name     string
	Order    string // the columns of the primary key, for a backup that reads the same each time
	Identity bool   // its column id counts by itself
	Columns  []Column
}

// List gives the column names as a statement lists them.
func (t Table) List() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Tables gives all tables in an order in which they can be filled. The table changes, a mere
// counter, is not among them.
func Tables() []Table {
	text := func(name string) Column { return Column{name, TextColumn} }
	number := func(name string) Column { return Column{name, IntColumn} }
	moment := func(name string) Column { return Column{name, TimeColumn} }
	octets := func(name string) Column { return Column{name, BytesColumn} }
	return []Table{
		{Name: "drafts", Order: "kind, name", Columns: []Column{text("kind"), text("name"), text("body"), number("revision"), text("updated_by"), moment("updated_at")}},
		{Name: "versions", Order: "kind, name, number", Columns: []Column{text("kind"), text("name"), number("number"), text("body"), text("note"), text("created_by"), moment("created_at")}},
		{Name: "publications", Order: "id", Identity: true, Columns: []Column{number("id"), text("kind"), text("name"), number("version"), moment("from_at"), moment("until_at"), text("created_by"), moment("created_at"), text("ended_by")}},
		{Name: "keys", Order: "id", Columns: []Column{text("id"), text("name"), text("class"), octets("hash"), text("origins"), moment("created_at"), moment("expires_at"), moment("revoked_at"), moment("used_at")}},
		{Name: "secrets", Order: "name", Columns: []Column{text("name"), octets("value")}},
		{Name: "events", Order: "source, id", Columns: []Column{text("source"), text("id"), moment("seen_at")}},
		{Name: "polls", Order: "source, kind", Columns: []Column{text("source"), text("kind"), text("cursor"), text("holder"), moment("due_at"), moment("polled_at")}},
		{Name: "shapes", Order: "source, kind", Columns: []Column{text("source"), text("kind"), text("body"), moment("kept_at")}},
		{Name: "outbox", Order: "id", Identity: true, Columns: []Column{number("id"), text("source"), text("tags"), moment("created_at"), text("topic"), text("writer")}},
		{Name: "suppressions", Order: "ref", Columns: []Column{text("ref"), text("reason"), moment("until_at"), text("created_by"), moment("created_at")}},
		{Name: "verdicts", Order: "ref", Columns: []Column{text("ref"), text("judgement"), text("reason"), moment("seen_at"), text("created_by"), moment("created_at")}},
		{Name: "audit", Order: "id", Identity: true, Columns: []Column{number("id"), text("action"), text("subject"), text("detail"), text("reason"), text("created_by"), moment("created_at")}},
		{Name: "operations", Order: "id", Columns: []Column{text("id"), text("name"), text("body"), text("created_by"), moment("created_at"), moment("used_at")}},
	}
}

// The lines of a backup: one header, one line per row, one end that tells how many rows came.
type (
	backupHeader struct {
		Tutti  string `json:"tutti"` // "backup"
		Format int    `json:"format"`
		Schema int64  `json:"schema"` // the number of the newest migration
	}
	backupLine struct {
		Table string         `json:"table,omitempty"`
		Row   map[string]any `json:"row,omitempty"`
		End   bool           `json:"end,omitempty"`
		Rows  int            `json:"rows,omitempty"`
	}
)

const backupFormat = 1

// WriteBackup is for the engines: it makes the file at path and writes what rows puts into it.
// Values are in the order of the table's columns; nil is null.
func WriteBackup(path string, schema int64, rows func(put func(t Table, values []any) error) error) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &tutti.Error{Code: tutti.Conflict, Message: fmt.Sprintf("There is a file at %s already.", path), Hint: "Name a file that is not there yet."}
	}
	if err != nil {
		return tutti.Errorf(tutti.Internal, "making the backup's file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
		}
	}()
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(backupHeader{Tutti: "backup", Format: backupFormat, Schema: schema}); err != nil {
		return tutti.Errorf(tutti.Internal, "writing the backup: %w", err)
	}
	count := 0
	put := func(t Table, values []any) error {
		row := make(map[string]any, len(values))
		for i, c := range t.Columns {
			if values[i] != nil {
				row[c.Name] = values[i]
			}
		}
		count++
		if err := enc.Encode(backupLine{Table: t.Name, Row: row}); err != nil {
			return tutti.Errorf(tutti.Internal, "writing the backup: %w", err)
		}
		return nil
	}
	if err := rows(put); err != nil {
		return err
	}
	if err := errors.Join(enc.Encode(backupLine{End: true, Rows: count}), w.Flush(), f.Sync()); err != nil {
		return tutti.Errorf(tutti.Internal, "writing the backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return tutti.Errorf(tutti.Internal, "closing the backup: %w", err)
	}
	return nil
}

// ReadBackup is for the engines: it reads the file at path and puts every row. Columns that the
// row does not name are nil. An error of put stops it and is given back with the line's number.
// Only when it returns nil was the file whole.
func ReadBackup(path string, schema int64, put func(t Table, values []any) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &tutti.Error{Code: tutti.NotFound, Message: fmt.Sprintf("There is no file at %s.", path)}
	}
	if err != nil {
		return tutti.Errorf(tutti.Internal, "opening the backup: %w", err)
	}
	defer f.Close()
	r := &backupReader{path: path, lines: bufio.NewReader(f)}
	if err := r.header(schema); err != nil {
		return err
	}
	tables := map[string]Table{}
	for _, t := range Tables() {
		tables[t.Name] = t
	}
	for rows := 0; ; rows++ {
		var line backupLine
		if err := r.next(&line); err != nil {
			return err
		}
		if line.End {
			return r.end(rows, line.Rows)
		}
		t, ok := tables[line.Table]
		if !ok {
			return r.wrong("it has the unknown table %q", line.Table)
		}
		values, err := r.values(t, line.Row)
		if err != nil {
			return err
		}
		if err := put(t, values); err != nil {
			return fmt.Errorf("importing line %d of %s: %w", r.line, path, err)
		}
	}
}

type backupReader struct {
	path  string
	lines *bufio.Reader
	line  int
}

func (r *backupReader) wrong(format string, args ...any) error {
	return &tutti.Error{
		Code:    tutti.Invalid,
		Message: fmt.Sprintf("%s:%d: this is not a whole backup: %s.", r.path, r.line, fmt.Sprintf(format, args...)),
		Hint:    "Take a file that tutti backup made, as it made it.",
	}
}

// next reads a line; numbers stay exact.
func (r *backupReader) next(to any) error {
	r.line++
	b, err := r.lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return r.wrong("it ends without its last line")
	}
	if err != nil {
		return tutti.Errorf(tutti.Internal, "reading the backup: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(to); err != nil {
		return r.wrong("the line is not JSON as expected (%v)", err)
	}
	return nil
}

func (r *backupReader) header(schema int64) error {
	var h backupHeader
	if err := r.next(&h); err != nil {
		return err
	}
	if h.Tutti != "backup" {
		return r.wrong("its first line is not a backup's")
	}
	if h.Format > backupFormat || h.Schema > schema {
		return &tutti.Error{
			Code:    tutti.Invalid,
			Message: fmt.Sprintf("%s was made by a newer Tutti (format %d, schema %d; this one knows %d and %d).", r.path, h.Format, h.Schema, backupFormat, schema),
			Hint:    "Import it with that version or a newer one.",
		}
	}
	return nil
}

func (r *backupReader) end(rows, want int) error {
	if rows != want {
		return r.wrong("it has %d rows and should have %d", rows, want)
	}
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return r.wrong("something follows its last line")
	}
	return nil
}

// values gives a row's values in the order and the Go types of the table's columns.
func (r *backupReader) values(t Table, row map[string]any) ([]any, error) {
	values := make([]any, len(t.Columns))
	known := 0
	for i, c := range t.Columns {
		v, ok := row[c.Name]
		if !ok {
			continue
		}
		known++
		var err error
		if values[i], err = columnValue(c.Type, v); err != nil {
			return nil, r.wrong("%s.%s: %v", t.Name, c.Name, err)
		}
	}
	if known != len(row) {
		return nil, r.wrong("the row of %s has an unknown column", t.Name)
	}
	return values, nil
}

func columnValue(t ColumnType, v any) (any, error) {
	if n, ok := v.(json.Number); ok && t == IntColumn {
		return n.Int64()
	}
	s, ok := v.(string)
	if !ok || t == IntColumn {
		return nil, fmt.Errorf("%v has the wrong type", v)
	}
	switch t {
	case TimeColumn:
		at, err := time.Parse(time.RFC3339Nano, s)
		return Time(at), err
	case BytesColumn:
		return base64.StdEncoding.DecodeString(s)
	}
	return s, nil
}
