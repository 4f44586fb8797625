// SPDX-License-Identifier: MIT

// Go's mutex and channels, on one thread: sync_go lock|channel N.
package main

import (
	"bench/report"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func lock(n int) map[string]float64 {
	var mutex sync.Mutex
	span := report.Start()
	for i := 0; i < n; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
	cpu, _ := report.Stop(span)
	return map[string]float64{"lock": float64(cpu) / float64(n)}
}

func sendThrough(n, slots int) float64 {
	words := make(chan uintptr, slots)
	done := make(chan struct{})
	go func() {
		for i := 0; i < n; i++ {
			<-words
		}
		close(done)
	}()
	span := report.Start()
	for i := 0; i < n; i++ {
		words <- 0
	}
	<-done
	cpu, _ := report.Stop(span)
	return float64(cpu) / float64(n)
}

func main() {
	n, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(1)
	switch os.Args[1] {
	case "lock":
		report.Print(lock(n))
	case "channel":
		report.Print(map[string]float64{
			"rendezvous": sendThrough(n, 0), "buffered": sendThrough(n, 128)})
	default:
		os.Exit(2)
	}
}
