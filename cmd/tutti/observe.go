package main

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// observer makes what is told of each request: a line in the log and the meters. Neither holds
// variables, contexts or names of visitors.
func (h *house) observer() func(context.Context, graph.Observation) {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tutti_request_duration_seconds", Help: "How long requests to the API took.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"kind", "class", "status"})
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tutti_request_errors_total", Help: "Requests that were answered with an error, by the code of the first.",
	}, []string{"code"})
	h.meters.MustRegister(duration, failures, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return func(ctx context.Context, o graph.Observation) {
		duration.WithLabelValues(o.Kind, string(o.Class), strconv.Itoa(o.Status)).Observe(o.Duration.Seconds())
		level := slog.LevelInfo
		if o.Code != "" {
			failures.WithLabelValues(string(o.Code)).Inc()
		}
		if o.Code == tutti.Internal {
			level = slog.LevelError
		}
		h.log.Log(ctx, level, "request", "id", o.RequestID, "status", o.Status, "code", string(o.Code), "operation", o.Operation, "kind", o.Kind,
			"class", string(o.Class), "key", o.KeyID, "bytes", o.Bytes, "ms", float64(o.Duration.Microseconds())/1000)
	}
}
