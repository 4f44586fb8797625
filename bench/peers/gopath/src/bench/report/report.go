// SPDX-License-Identifier: MIT

// Package report is the Go half of bench/report.h: the measured stretch, as one line of JSON.
package report

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// Span is a point in CPU time and in wall time.
type Span struct {
	cpu  int64
	wall time.Time
}

// CPU is the process's CPU time, user and kernel, in nanoseconds.
func CPU() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// StatusKiB reads a line of /proc/self/status.
func StatusKiB(key string) int64 {
	text, _ := os.ReadFile("/proc/self/status")
	m := regexp.MustCompile(key + `:\s+(\d+)`).FindSubmatch(text)
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n
}

// Start begins the measured stretch.
func Start() Span {
	return Span{CPU(), time.Now()}
}

// Stop gives the CPU and wall nanoseconds since Start.
func Stop(s Span) (cpu, wall int64) {
	return CPU() - s.cpu, time.Since(s.wall).Nanoseconds()
}

// Print writes the one line.
func Print(figures map[string]float64) {
	json.NewEncoder(os.Stdout).Encode(figures)
}

// Finish ends the stretch and prints counts with it.
func Finish(s Span, counts map[string]int64) {
	cpu, wall := Stop(s)
	counts["cpu_ns"], counts["wall_ns"] = cpu, wall
	counts["peak_kib"] = StatusKiB("VmHWM")
	json.NewEncoder(os.Stdout).Encode(counts)
}
