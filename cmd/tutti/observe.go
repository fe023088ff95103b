package main

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tuttihq/tutti/graph"
)

// observer makes what is metered of each request. No label holds variables, contexts or names of
// visitors. The API's server writes the line in the log.
func (h *house) observer() func(context.Context, graph.Observation) {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tutti_request_duration_seconds", Help: "How long requests to the API took.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"kind", "class", "status"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tutti_request_errors_total", Help: "Requests that were answered with an error, by the code of the first.",
	}, []string{"code"})
	untrusted := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tutti_untrusted_operations_total", Help: "Requests for operations that are not trusted, where the config does not allow all.",
	})
	h.meters.MustRegister(duration, failures, untrusted, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return func(_ context.Context, o graph.Observation) {
		duration.WithLabelValues(o.Kind, string(o.Class), strconv.Itoa(o.Status)).Observe(o.Duration.Seconds())
		if o.Code != "" {
			failures.WithLabelValues(string(o.Code)).Inc()
		}
		if o.Untrusted != "" {
			untrusted.Inc()
		}
	}
}
