package expr

import (
	"strconv"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
)

// Most computed refs and texts join words with attributes and params: 'shop:product/' + params.sku,
// 'page-' + string(params.page). Those are spelled here; TestSpelledTextsAgreeWithCEL holds this
// and CEL together.

// spelling is a text: words, and names in between. Nil needs CEL.
type spelling []piece

// piece is words, or the value of a name when there is one: a whole number or a text.
type piece struct {
	words, name string
	number      bool
}

// spell gives the fast form of an expression that joins texts, nil when it is something else.
func spell(a *ast.AST, e ast.Expr) spelling {
	if v, ok := constant(e); ok {
		if words, ok := v.(string); ok {
			return spelling{{words: words}}
		}
		return nil
	}
	if e.Kind() == ast.CallKind {
		return spellCall(a, e)
	}
	if name, ok := nameIn(a, e); ok {
		return spelling{{name: name}}
	}
	return nil
}

func spellCall(a *ast.AST, e ast.Expr) spelling {
	ref, args := a.ReferenceMap()[e.ID()], e.AsCall().Args()
	if ref == nil || len(ref.OverloadIDs) != 1 {
		return nil
	}
	switch ref.OverloadIDs[0] {
	case overloads.AddString:
		x, y := spell(a, args[0]), spell(a, args[1])
		if x == nil || y == nil {
			return nil
		}
		return append(x, y...)
	case overloads.IntToString, overloads.StringToString:
		if name, ok := nameIn(a, args[0]); ok {
			return spelling{{name: name, number: ref.OverloadIDs[0] == overloads.IntToString}}
		}
	}
	return nil
}

// eval gives the text, and askCEL or dunno instead of yes when it does not know.
func (s spelling) eval(k Known) (string, truth) {
	var room [128]byte
	b, t := s.append(room[:0], k)
	return string(b), t
}

// append writes the text as eval gives it.
func (s spelling) append(b []byte, k Known) ([]byte, truth) {
	for _, p := range s {
		if p.name == "" {
			b = append(b, p.words...)
			continue
		}
		v, ok := k.ResolveName(p.name)
		if !ok {
			return b, dunno
		}
		words, isText := v.(string)
		n, isNumber := v.(int64)
		switch {
		case isText && !p.number:
			b = append(b, words...)
		case isNumber && p.number:
			b = strconv.AppendInt(b, n, 10)
		default: // not what the attribute's type promises
			return b, askCEL
		}
	}
	return b, yes
}
