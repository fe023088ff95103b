package sources

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meter counts for Prometheus: sources by name, never ids or anything of a visitor.
type meter struct {
	of       *Sources
	registry prometheus.Registerer
	replaced atomic.Bool // newer sources took the place in the registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	breaker  *prometheus.Desc
	lookups  *prometheus.Desc
	bytes    *prometheus.Desc
	items    *prometheus.Desc
	polled   *prometheus.Desc
	changes  *prometheus.Desc
	drifts   *prometheus.Desc
}

func newMeter(s *Sources, registry prometheus.Registerer) *meter {
	m := &meter{
		of: s, registry: registry,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tutti_source_calls_total",
			Help: "Calls of origin systems by outcome; held and broken ones were not made.",
		}, []string{"source", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tutti_source_call_seconds",
			Help: "How long calls of origin systems took.", Buckets: []float64{.005, .01, .025, .05, .1, .2, .3, .5, 1, 2, 5},
		}, []string{"source"}),
		breaker: prometheus.NewDesc("tutti_source_breaker_state", "0 closed, 1 half open, 2 open.", []string{"source"}, nil),
		lookups: prometheus.NewDesc("tutti_cache_events_total", "What happened in the cache of resources and selections.", []string{"event"}, nil),
		bytes:   prometheus.NewDesc("tutti_cache_bytes", "Memory of kept resources and selections, estimated.", nil, nil),
		items:   prometheus.NewDesc("tutti_cache_items", "Kept resources and selections.", nil, nil),
		polled:  prometheus.NewDesc("tutti_source_poll_age_seconds", "How long ago an origin system was last asked what changed, by any process.", []string{"source", "kind"}, nil),
		changes: prometheus.NewDesc("tutti_source_changes_total", "Changes that this process was told of when it asked.", []string{"source", "kind"}, nil),
		drifts:  prometheus.NewDesc("tutti_source_drifts", "Places that mappings read and that have another shape than they had.", []string{"source"}, nil),
	}
	m.register()
	return m
}

// register takes the place of the sources of an earlier generation, whose counters end there.
func (m *meter) register() {
	if m.registry == nil {
		return
	}
	var before prometheus.AlreadyRegisteredError
	if err := m.registry.Register(m); errors.As(err, &before) {
		if old, ok := before.ExistingCollector.(*meter); ok {
			old.replaced.Store(true)
		}
		m.registry.Unregister(before.ExistingCollector)
		_ = m.registry.Register(m) // now the place is free
	}
}

func (m *meter) close() {
	if m.registry != nil && !m.replaced.Load() {
		m.registry.Unregister(m)
	}
}

func (m *meter) outcome(source, outcome string) {
	if m != nil {
		m.calls.WithLabelValues(source, outcome).Inc()
	}
}

func (m *meter) call(source, outcome string, took time.Duration) {
	if m != nil {
		m.outcome(source, outcome)
		m.seconds.WithLabelValues(source).Observe(took.Seconds())
	}
}

// Describe is for Prometheus.
func (m *meter) Describe(ch chan<- *prometheus.Desc) {
	m.calls.Describe(ch)
	m.seconds.Describe(ch)
	for _, d := range []*prometheus.Desc{m.breaker, m.lookups, m.bytes, m.items, m.polled, m.changes, m.drifts} {
		ch <- d
	}
}

// Collect is for Prometheus.
func (m *meter) Collect(ch chan<- prometheus.Metric) {
	m.calls.Collect(ch)
	m.seconds.Collect(ch)
	for _, src := range m.of.order {
		ch <- prometheus.MustNewConstMetric(m.breaker, prometheus.GaugeValue, float64(src.breaker.current()), src.name)
		for _, f := range src.polled {
			last, _ := f.lastPoll()
			if !last.IsZero() {
				ch <- prometheus.MustNewConstMetric(m.polled, prometheus.GaugeValue, f.s.now().Sub(last).Seconds(), src.name, f.k.Name)
			}
			ch <- prometheus.MustNewConstMetric(m.changes, prometheus.CounterValue, float64(f.told()), src.name, f.k.Name)
		}
	}
	drifts := map[string]int{}
	for _, d := range m.of.Drifts() {
		drifts[d.Source]++
	}
	for _, src := range m.of.order {
		ch <- prometheus.MustNewConstMetric(m.drifts, prometheus.GaugeValue, float64(drifts[src.name]), src.name)
	}
	st := m.of.cache.Stats()
	for event, n := range map[string]int64{
		"hit": int64(st.Hits), "stale": int64(st.Stale), "miss": int64(st.Misses), "negative": int64(st.Negative),
		"load": int64(st.Loads), "early": int64(st.Early), "coalesced": int64(st.Coalesced), "evicted": int64(st.Evicted),
	} {
		ch <- prometheus.MustNewConstMetric(m.lookups, prometheus.CounterValue, float64(n), event)
	}
	ch <- prometheus.MustNewConstMetric(m.bytes, prometheus.GaugeValue, float64(st.Bytes))
	ch <- prometheus.MustNewConstMetric(m.items, prometheus.GaugeValue, float64(st.Items))
}
