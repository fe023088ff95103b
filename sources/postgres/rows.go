package postgres

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tuttihq/tutti"
)

// readRows writes rows as JSON. Numbers of SQL's type numeric become texts, so that nothing rounds them; instants
// RFC 3339 in UTC; json stays as it is; arrays become lists; what JSON has no form for its text.
func readRows(rows pgx.Rows, most int, limit int64) ([]byte, error) {
	fields := rows.FieldDescriptions()
	names := make([][]byte, len(fields))
	for i, f := range fields {
		if f.DataTypeOID == pgtype.ByteaOID || f.DataTypeOID == pgtype.ByteaArrayOID {
			return nil, tutti.Errorf(tutti.BadAnswer, "reading the rows: the column %s holds bytes, which are not delivered; leave it out", f.Name)
		}
		names[i], _ = json.Marshal(f.Name) // a text always has a JSON form
	}
	b := newWriter()
	b.WriteByte('[')
	for n := 0; rows.Next(); n++ {
		if n == most {
			return nil, tutti.Errorf(tutti.TooLarge, "reading the rows: there are more than %d", most)
		}
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for i, raw := range rows.RawValues() {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(names[i])
			b.WriteByte(':')
			if err := write(b, fields[i], raw); err != nil {
				return nil, err
			}
			if int64(b.Len()) > limit {
				return nil, tutti.Errorf(tutti.TooLarge, "reading the rows: they are larger than %d bytes", limit)
			}
		}
		b.WriteByte('}')
	}
	if err := rows.Err(); err != nil {
		if len(fields) > 0 { // the arguments were read
			return nil, ofRows(err)
		}
		return nil, told("asking the database", err)
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

func write(b *writer, f pgconn.FieldDescription, raw []byte) error {
	if raw == nil {
		b.WriteString("null")
		return nil
	}
	if element, ok := arrays[f.DataTypeOID]; ok {
		items, ok := elements(string(raw))
		if !ok {
			return tutti.Errorf(tutti.BadAnswer, "reading the rows: the array in the column %s has several dimensions; select it as json", f.Name)
		}
		b.WriteByte('[')
		for i, item := range items {
			if i > 0 {
				b.WriteByte(',')
			}
			if item == nil {
				b.WriteString("null")
			} else {
				one(b, element, *item)
			}
		}
		b.WriteByte(']')
		return nil
	}
	one(b, f.DataTypeOID, string(raw))
	return nil
}

// one writes a value that is no array.
func one(b *writer, oid uint32, s string) {
	switch oid {
	case pgtype.BoolOID:
		b.WriteString(map[bool]string{true: "true", false: "false"}[s == "t"])
		return
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
		b.WriteString(s)
		return
	case pgtype.Float4OID, pgtype.Float8OID:
		if json.Valid([]byte(s)) { // not NaN and Infinity
			b.WriteString(s)
			return
		}
	case pgtype.JSONOID, pgtype.JSONBOID:
		b.WriteString(s)
		return
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		s = instant(s)
	case pgtype.BPCharOID:
		s = strings.TrimRight(s, " ")
	}
	b.text(s)
}

// writer writes JSON with the signs of HTML as they are.
type writer struct {
	bytes.Buffer
	enc *json.Encoder // into the buffer
}

func newWriter() *writer {
	w := &writer{}
	w.enc = json.NewEncoder(&w.Buffer)
	w.enc.SetEscapeHTML(false)
	return w
}

func (w *writer) text(s string) {
	_ = w.enc.Encode(s)     // a text always has a JSON form
	w.Truncate(w.Len() - 1) // the end of the line
}

// instant writes 2026-11-22 10:00:00.5+00 as RFC 3339; one without a zone has none.
func instant(s string) string {
	s = strings.Replace(s, " ", "T", 1)
	if at, ok := strings.CutSuffix(s, "+00"); ok {
		return at + "Z"
	}
	return s
}

// arrays gives the type of elements by that of the array.
var arrays = map[uint32]uint32{
	pgtype.TextArrayOID: pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.VarcharOID, pgtype.BPCharArrayOID: pgtype.BPCharOID, pgtype.NameArrayOID: pgtype.NameOID,
	pgtype.Int2ArrayOID: pgtype.Int2OID, pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.Int8ArrayOID: pgtype.Int8OID,
	pgtype.Float4ArrayOID: pgtype.Float4OID, pgtype.Float8ArrayOID: pgtype.Float8OID, pgtype.NumericArrayOID: pgtype.NumericOID,
	pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.UUIDArrayOID: pgtype.UUIDOID, pgtype.DateArrayOID: pgtype.DateOID,
	pgtype.TimestampArrayOID: pgtype.TimestampOID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID,
	pgtype.JSONArrayOID: pgtype.JSONOID, pgtype.JSONBArrayOID: pgtype.JSONBOID,
}

// elements reads an array of one dimension as PostgreSQL writes it: {a,"b c",NULL}. nil is null.
func elements(s string) ([]*string, bool) {
	if !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") {
		return nil, false // bounds in front
	}
	s, all := s[1:len(s)-1], []*string{}
	for s != "" {
		var item strings.Builder
		quoted, i := s[0] == '"', 0
		if s[0] == '{' {
			return nil, false
		}
		if quoted {
			i = 1
		}
		for ; i < len(s) && (quoted && s[i] != '"' || !quoted && s[i] != ','); i++ {
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			item.WriteByte(s[i])
		}
		if quoted {
			i++
		}
		text := item.String()
		if quoted || text != "NULL" {
			all = append(all, &text)
		} else {
			all = append(all, nil)
		}
		s = strings.TrimPrefix(s[min(i, len(s)):], ",")
	}
	return all, true
}
