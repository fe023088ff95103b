package graph

// Limits bound the work that one request can cause. A zero field takes its default.
type Limits struct {
	BodyBytes     int64 // of a request; 1 MiB
	DocumentBytes int   // of the operation text; 64 KiB
	ContextBytes  int   // of the context as JSON; 16 KiB
	Tokens        int   // of the operation text; 4,000
	NameBytes     int   // of one name in the operation; 128
	Depth         int   // of nested fields; 20
	SameKeys      int   // same response keys in one selection set, fragments included; 20
	SamePlace     int   // fields that meet in one place of the answer, all selections merged; 200
	Selections    int   // written in the document; 1,000
	Expanded      int   // selections after every fragment is put in its places; 5,000
	Fragments     int   // fragment definitions; 50
	Aliases       int   // 50
	Directives    int   // 50
	RootFields    int   // 50
	First         int   // the largest first, and the most refs; 100
	Cost          int   // fields of the answer when every list with first (or refs) is as long as that; 20,000
	Errors        int   // most errors about one request; 10
	CacheBytes    int   // for analysed operations, estimated; 32 MiB
}

// DefaultLimits are the limits of a Generation that is given none.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = 1 << 20
	}
	def(&l.DocumentBytes, 64<<10)
	def(&l.ContextBytes, 16<<10)
	def(&l.Tokens, 4000)
	def(&l.NameBytes, 128)
	def(&l.Depth, 20)
	def(&l.SameKeys, 20)
	def(&l.SamePlace, 200)
	def(&l.Selections, 1000)
	def(&l.Expanded, 5000)
	def(&l.Fragments, 50)
	def(&l.Aliases, 50)
	def(&l.Directives, 50)
	def(&l.RootFields, 50)
	def(&l.First, 100)
	def(&l.Cost, 20000)
	def(&l.Errors, 10)
	def(&l.CacheBytes, 32<<20)
	return l
}
