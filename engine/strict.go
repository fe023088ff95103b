package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// readStrict reads a document into a struct and notes every key that the struct does not know,
// with its path: a misspelled key would else be lost in silence. false when it cannot be read.
func readStrict(body []byte, into any, n *notes) bool {
	var generic any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&generic); err != nil {
		n.wrong("", "This is no JSON: "+err.Error()+".", "")
		return false
	}
	if _, ok := generic.(map[string]any); !ok {
		n.wrong("", "This is no object.", "Write the document as an object with its fields.")
		return false
	}
	unknownKeys(reflect.TypeOf(into).Elem(), generic, "", n)
	if err := json.Unmarshal(body, into); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			n.wrong(t.Field, fmt.Sprintf("A %s does not fit here.", t.Value), fmt.Sprintf("Write %s.", wantedJSON(t.Type)))
		} else {
			n.wrong("", err.Error()+".", "")
		}
		return false
	}
	return true
}

func wantedJSON(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list: […]"
	case reflect.Map, reflect.Struct, reflect.Pointer:
		return "an object: {…}"
	}
	return "a number"
}

var rawType = reflect.TypeOf(json.RawMessage{})

func unknownKeys(t reflect.Type, v any, path string, n *notes) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == rawType || v == nil {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		fields := map[string]reflect.Type{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				fields[name] = t.Field(i).Type
			}
		}
		for _, key := range sortedKeys(m) {
			at := joinPath(path, key)
			if path == "" {
				at = key
			}
			f, ok := fields[key]
			if !ok {
				n.wrong(at, fmt.Sprintf("There is no field “%s” here.", key), expr.DidYouMean(key, sortedKeys(fields)))
				continue
			}
			unknownKeys(f, m[key], at, n)
		}
	case reflect.Slice:
		list, _ := v.([]any)
		for i, x := range list {
			unknownKeys(t.Elem(), x, fmt.Sprintf("%s[%d]", path, i), n)
		}
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok || t == reflect.TypeOf(tutti.Text{}) {
			return
		}
		for _, key := range sortedKeys(m) {
			unknownKeys(t.Elem(), m[key], joinPath(path, key), n)
		}
	}
}
