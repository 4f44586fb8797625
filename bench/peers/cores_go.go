// SPDX-License-Identifier: MIT

// Go's channels on two processors: cores_go wake N | ports N. hot: goroutines as they come, which
// the runtime likes to keep on one processor; cold: each locked to a thread of its own.
package main

import (
	"bench/report"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

const stretches, slots, senders = 51, 1024, 3

func wake(n int, locked bool) float64 {
	there, back := make(chan uintptr), make(chan uintptr)
	rounds := n / stretches
	lock := func() {
		if locked {
			runtime.LockOSThread()
		}
	}
	result := make(chan float64)
	go func() {
		lock()
		for i := 0; i < rounds*stretches; i++ {
			back <- <-there
		}
	}()
	go func() {
		lock()
		took := make([]float64, stretches)
		for s := range took {
			from := time.Now()
			for i := 0; i < rounds; i++ {
				there <- 0
				<-back
			}
			took[s] = float64(time.Since(from).Nanoseconds())
		}
		sort.Float64s(took)
		result <- took[stretches/2] / float64(2*rounds)
	}()
	return <-result
}

func ports(n, from int) float64 {
	words := make(chan uintptr, slots)
	each := n / from
	start := time.Now()
	for s := 0; s < from; s++ {
		go func() {
			for i := 0; i < each; i++ {
				words <- 0
			}
		}()
	}
	for i := 0; i < each*from; i++ {
		<-words
	}
	return float64(time.Since(start).Nanoseconds()) / float64(each*from)
}

func main() {
	n, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(2)
	switch os.Args[1] {
	case "wake":
		hot := wake(n, false)
		report.Print(map[string]float64{"hot": hot, "cold": wake(n/10, true)})
	case "ports":
		one := ports(n, 1)
		report.Print(map[string]float64{"one": one, "many": ports(n, senders)})
	default:
		os.Exit(2)
	}
}
