//go:build !pprof

package main

import "runtime"

// Nobody reads a profile of allocations of this binary: the table for it is more than a MiB.
func init() { runtime.MemProfileRate = 0 }
