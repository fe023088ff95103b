package engine

import (
	"strconv"

	"github.com/tuttihq/tutti"
)

// PlanKey names a plan: two plans have one key only when they were decided alike, and one plan has
// the same key on every replica. It tells nothing of what is in it.
func (e *Engine) PlanKey(p *tutti.Plan) string {
	b := framed(nil, "plan", e.cfg.Generation, p.Composition, strconv.Itoa(p.Version), p.Channel, scopeKey(p.Scope, p.Locale), plainJSON(p.Params))
	b = framed(b, p.Chain...)
	b = valueContent(b, &p.Title)
	b = valueContent(b, &p.Description)
	return e.assembling.ids.of(string(slotsContent(b, p.Slots)))
}

func slotsContent(b []byte, slots []tutti.SlotPlan) []byte {
	b = framed(b, "slots", strconv.Itoa(len(slots)))
	for i := range slots {
		s := &slots[i]
		b = framed(b, s.ID, s.Name, s.Variant, strconv.Itoa(len(s.Components)))
		for j := range s.Components {
			cp := &s.Components[j]
			key := cp.Key
			if cp.Private || key == "" {
				key = planContent(cp) // the key is of this process only
			}
			b = slotsContent(framed(b, key, cp.Path), cp.Slots)
		}
	}
	return b
}
