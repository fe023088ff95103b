package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"github.com/tuttihq/tutti"
)

// componentKey writes everything that assembling one component depends on, canonically and
// length-prefixed, so that two plans have one key only when they show the same. The key of a
// private plan is an HMAC under a secret of this process: it tells nothing to who sees it.
func (d *decider) componentKey(cp *tutti.ComponentPlan, b *body) string {
	k := keyWriter{b: d.key[:0]}
	k.text(d.c.engine.cfg.Generation, d.c.ID, cp.Component, cp.Type, strconv.Itoa(cp.Version), cp.Variant, d.channel, d.locale)
	has := func(dim string) bool { return b.allDims || slices.Contains(b.dims, dim) }
	if has(tutti.MarketDimension) {
		k.text("market", d.scope.Market)
	}
	if has(tutti.CurrencyDimension) {
		k.text("currency", d.scope.Currency)
	}
	if d.scope.Draft && has(tutti.PerspectiveDimension) {
		k.text("draft")
	}
	if cp.Each != nil {
		k.text("each")
		d.keyValue(&k, cp.Each)
	}
	for i := range cp.Props {
		k.text("prop", cp.Props[i].Definition.Name)
		for j := range cp.Props[i].Values {
			d.keyValue(&k, &cp.Props[i].Values[j])
		}
	}
	for i := range cp.Actions {
		a := &cp.Actions[i]
		k.text("action", a.Intent)
		k.value(a.ExpiresAt)
		d.keyValue(&k, &a.Label)
		d.keyValue(&k, &a.Href)
		d.keyValue(&k, &a.DeepLink)
	}
	if cp.ShowWhen != nil {
		k.text("showWhen")
		d.keyProgram(&k, cp.ShowWhen)
	}
	if cp.Form != nil {
		k.text("form", cp.Form.Type, strconv.Itoa(cp.Form.Version))
	}
	if cp.Private {
		k.text("owner", cp.Owner.Visitor)
		for _, source := range sortedKeys(cp.Owner.InSource) {
			k.text(source, cp.Owner.InSource[source])
		}
	}
	d.key = k.b
	if !cp.Private {
		return d.keys.of(k.b, d.c.most.components)
	}
	m := hmac.New(sha256.New, d.c.engine.secret)
	m.Write(k.b)
	return "private:" + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (d *decider) keyValue(k *keyWriter, v *tutti.Value) {
	k.b = append(k.b, 'v', byte('0'+v.Kind))
	switch v.Kind {
	case tutti.LiteralValue:
		k.value(v.Literal)
	case tutti.TextValue:
		k.text(v.Locale)
		for i := range v.Text {
			p := &v.Text[i]
			switch {
			case p.Program != nil:
				k.b = append(k.b, 'p')
				d.keyProgram(k, p.Program)
			case p.Hole != "":
				k.b = append(k.b, 'h')
				k.text(p.Hole)
			default:
				k.b = append(k.b, 'w')
				k.text(p.Words)
			}
		}
	case tutti.SelectValue:
		k.text(v.Select.Source, v.Select.Kind, v.Select.Text, v.Select.Sort, strconv.Itoa(v.Select.First))
		for _, name := range sortedKeys(v.Select.Filter) {
			k.text(name)
			if p, ok := v.Select.Filter[name].(tutti.Program); ok {
				k.b = append(k.b, 'p')
				d.keyProgram(k, p)
			} else {
				k.value(v.Select.Filter[name])
			}
		}
	case tutti.BindValue:
		k.text(v.Bind.From)
		k.text(v.Bind.Path...)
		d.keyParam(k, v.Bind.From)
	}
	for _, r := range v.Refs {
		k.b = append(k.b, 'r')
		k.text(r.Source, r.Kind, r.ID)
	}
	if v.Program != nil {
		k.b = append(k.b, 'p')
		d.keyProgram(k, v.Program)
	}
	k.b = append(k.b, ';')
}

// keyProgram writes a program and the params that it reads.
func (d *decider) keyProgram(k *keyWriter, p tutti.Program) {
	k.text(p.String())
	for _, steps := range p.Paths() {
		if steps[0] == "params" && len(steps) > 1 {
			d.keyParam(k, steps[1])
		} else {
			d.keyParam(k, steps[0])
		}
	}
}

// keyParam writes a param's value; nothing for what is no param.
func (d *decider) keyParam(k *keyWriter, name string) {
	if v, ok := d.params[name]; ok {
		k.b = append(k.b, '$')
		k.text(name)
		k.value(v)
	}
}

// keyWriter appends length-prefixed parts.
type keyWriter struct{ b []byte }

func (k *keyWriter) text(parts ...string) {
	for _, p := range parts {
		k.b = binary.AppendUvarint(k.b, uint64(len(p)))
		k.b = append(k.b, p...)
	}
}

// value writes a value with its type, so that 1 and "1" differ.
func (k *keyWriter) value(v any) {
	switch v := v.(type) {
	case nil:
		k.b = append(k.b, 'n')
	case string:
		k.b = append(k.b, 's')
		k.text(v)
	case bool:
		k.b = strconv.AppendBool(append(k.b, 'b'), v)
	case int64:
		k.b = append(strconv.AppendInt(append(k.b, 'i'), v, 10), ',')
	case float64:
		k.b = append(strconv.AppendFloat(append(k.b, 'f'), v, 'g', -1, 64), ',')
	case time.Time:
		k.b = append(strconv.AppendInt(append(k.b, 't'), v.UnixNano(), 10), ',')
	case tutti.Ref:
		k.b = append(k.b, 'r')
		k.text(v.Source, v.Kind, v.ID)
	case tutti.Place:
		k.b = append(k.b, 'l')
		k.value(v.Lat)
		k.value(v.Lon)
	case tutti.Money:
		k.b = append(k.b, 'm')
		k.text(v.Amount, v.Currency)
	case []any:
		k.b = append(k.b, '[')
		for _, x := range v {
			k.value(x)
		}
		k.b = append(k.b, ']')
	case map[string]any:
		k.b = append(k.b, '{')
		for _, name := range sortedKeys(v) {
			k.text(name)
			k.value(v[name])
		}
		k.b = append(k.b, '}')
	default:
		k.b = append(k.b, 'j')
		k.text(plainJSON(v))
	}
}

// place begins the key of what a component plan of a page comes to: its own key, those of all that
// stands in it (component), and where it stands. One key, one part; see tutti.Part. A part that is
// one visitor's alone has a key that tells nothing of him.
func (k *keyWriter) place(p *tutti.Plan, slot *tutti.SlotPlan) {
	k.text(p.Composition)
	k.b = binary.AppendUvarint(k.b, uint64(p.Version))
	k.text(p.Scope.Locale, p.Scope.Market, p.Scope.Currency, p.Channel, p.Locale, slot.Name)
	k.value(p.Scope.Draft)
}

func (k *keyWriter) component(cp *tutti.ComponentPlan) {
	k.text(cp.Path, cp.Key)
	for i := range cp.Slots {
		s := &cp.Slots[i]
		k.text(s.ID, s.Name)
		k.b = binary.AppendUvarint(k.b, uint64(len(s.Components)))
		for j := range s.Components {
			k.component(&s.Components[j])
		}
	}
}
