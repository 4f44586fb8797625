// SPDX-License-Identifier: MIT

// Goroutines and Go's timers: micro_go yield|spawn|tasks|wake|timers N [TASKS].
package main

import (
	"bench/report"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func per(ns int64, n int) float64 {
	return float64(ns) / float64(n)
}

func yield(n, tasks int) map[string]float64 {
	var all sync.WaitGroup
	all.Add(tasks)
	span := report.Start()
	for i := 0; i < tasks; i++ {
		go func() {
			for k := 0; k < n/tasks; k++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	cpu, _ := report.Stop(span)
	return map[string]float64{"yield": per(cpu, n)}
}

func spawn(n, alive int) map[string]float64 {
	var one, many sync.WaitGroup
	span := report.Start()
	for i := 0; i < n; i++ {
		one.Add(1)
		go one.Done()
		one.Wait()
	}
	first, _ := report.Stop(span)
	for round := 0; round <= n/alive; round++ {
		if round == 1 { // the first one warms up
			span = report.Start()
		}
		many.Add(alive)
		for i := 0; i < alive; i++ {
			go many.Done()
		}
		many.Wait()
	}
	second, _ := report.Stop(span)
	return map[string]float64{"one": per(first, n), "many": per(second, n/alive*alive)}
}

func tasks(n int) map[string]float64 {
	var woken, all sync.WaitGroup
	bell, leave := make(chan struct{}), make(chan struct{})
	before := report.StatusKiB("VmRSS")
	woken.Add(n)
	all.Add(n)
	span := report.Start()
	for i := 0; i < n; i++ {
		go func() {
			<-bell
			woken.Done()
			<-leave
			all.Done()
		}()
	}
	runtime.Gosched()
	spawned, _ := report.Stop(span)
	parked := report.StatusKiB("VmRSS")
	span = report.Start()
	close(bell)
	woken.Wait()
	wake, _ := report.Stop(span)
	span = report.Start()
	close(leave)
	all.Wait()
	end, _ := report.Stop(span)
	return map[string]float64{"spawn": per(spawned, n), "wake": per(wake, n), "end": per(end, n),
		"bytes": per((parked-before)*1024, n)}
}

// Goroutine i waits for bell i, then for the next one of its own.
func wake(n, width int) map[string]float64 {
	const bells = 10000
	var rounds []int64
	for k := 0; k <= n/bells; k++ {
		var all sync.WaitGroup
		bell := make([]chan struct{}, bells)
		for i := range bell {
			bell[i] = make(chan struct{})
		}
		all.Add(width)
		for i := 0; i < width; i++ {
			go func(i int) {
				for ; i < bells; i += width {
					<-bell[i]
				}
				all.Done()
			}(i)
		}
		runtime.Gosched()
		span := report.Start()
		for i := 0; i < bells; i += width {
			for k := i; k < i+width; k++ {
				close(bell[k])
			}
			runtime.Gosched()
		}
		ns, _ := report.Stop(span)
		all.Wait()
		rounds = append(rounds, ns)
	}
	return map[string]float64{"wake": per(median(rounds), bells)}
}

func median(values []int64) int64 {
	sort.Slice(values, func(i, k int) bool { return values[i] < values[k] })
	return values[len(values)/2]
}

func timers(n int) map[string]float64 {
	rnd := rand.New(rand.NewSource(1))
	all := make([]*time.Timer, n)
	var fired int64
	var done sync.WaitGroup
	done.Add(1)
	fire := func() {
		if atomic.AddInt64(&fired, 1) == int64(n) {
			done.Done()
		}
	}
	after := make([]time.Duration, n)
	for i := range after {
		after[i] = time.Second + time.Duration(rnd.Int63n(int64(60*time.Second)))
	}
	var added, stopped []int64
	for pass := 0; pass < 5; pass++ {
		span := report.Start()
		for i := range all {
			all[i] = time.AfterFunc(after[i], fire)
		}
		ns, _ := report.Stop(span)
		added = append(added, ns)
		span = report.Start()
		for i := range all {
			all[i].Stop()
		}
		ns, _ = report.Stop(span)
		stopped = append(stopped, ns)
	}
	for i := range after {
		after[i] = time.Duration(rnd.Int63n(int64(time.Second)))
	}
	span := report.Start()
	for i := range all {
		all[i].Reset(after[i])
	}
	done.Wait()
	all2, _ := report.Stop(span)
	return map[string]float64{"add": per(median(added), n), "cancel": per(median(stopped), n),
		"rearm_and_fire": per(all2, n)}
}

func main() {
	n, _ := strconv.Atoi(os.Args[2])
	count := 2
	if len(os.Args) > 3 {
		count, _ = strconv.Atoi(os.Args[3])
	}
	switch os.Args[1] {
	case "yield":
		report.Print(yield(n, count))
	case "spawn":
		report.Print(spawn(n, count))
	case "tasks":
		report.Print(tasks(n))
	case "wake":
		report.Print(wake(n, count))
	case "timers":
		report.Print(timers(n))
	default:
		os.Exit(2)
	}
}
