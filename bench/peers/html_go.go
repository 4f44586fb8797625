// SPDX-License-Identifier: MIT

// Pages to x/net/html's trees: html_go tree MILLISECONDS FILE...
package main

import (
	"bench/report"
	"bytes"
	"log"
	"os"
	"sort"
	"strconv"

	"golang.org/x/net/html"
)

func pass(pages [][]byte) {
	for _, page := range pages {
		if _, err := html.Parse(bytes.NewReader(page)); err != nil {
			log.Fatal(err)
		}
	}
}

func main() {
	milliseconds, _ := strconv.Atoi(os.Args[2])
	var pages [][]byte
	total := 0
	for _, name := range os.Args[3:] {
		page, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		pages = append(pages, page)
		total += len(page)
	}
	before := report.StatusKiB("VmRSS")
	pass(pages)
	grown := report.StatusKiB("VmHWM") - before
	var took []int64
	var sum int64
	for len(took) == 0 || sum < int64(milliseconds)*1000000 {
		span := report.Start()
		pass(pages)
		cpu, _ := report.Stop(span)
		took = append(took, cpu)
		sum += cpu
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	report.Print(map[string]float64{"bytes": float64(total), "heap": -1, "kept": -1,
		"cpu_ns": float64(took[len(took)/2]), "grown_kib": float64(grown)})
}
