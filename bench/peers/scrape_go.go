// SPDX-License-Identifier: MIT

// The scrape on Go's net/http and x/net/html: scrape_go PORT PAGES COUNT CONNECTIONS.
package main

import (
	"bench/report"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/html"
)

type item struct {
	title, author, date string
	content             []string
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasClass(n *html.Node, name string) bool {
	for _, c := range strings.Fields(attr(n, "class")) {
		if c == name {
			return true
		}
	}
	return false
}

func addText(n *html.Node, b *strings.Builder) {
	if n.Type == html.TextNode {
		b.WriteString(n.Data)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		addText(c, b)
	}
}

func text(n *html.Node) string {
	var b strings.Builder
	addText(n, &b)
	return strings.TrimSpace(b.String())
}

func pick(n *html.Node, it *item) {
	if hasClass(n, "post-content") {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode && c.Data == "p" {
				it.content = append(it.content, text(c))
			}
		}
	}
	if it.title == "" && hasClass(n, "post-title") {
		it.title = text(n)
	}
	if it.author == "" && hasClass(n, "author-name") {
		it.author = text(n)
	}
	if it.date == "" && hasClass(n, "post-date") {
		it.date = attr(n, "datetime")
	}
}

func walk(n *html.Node, it *item) {
	if n.Type == html.ElementNode {
		pick(n, it)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, it)
	}
}

func scrape(client *http.Client, url string) item {
	r, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	root, err := html.Parse(r.Body)
	if err != nil || r.StatusCode != 200 {
		log.Fatal(url, err)
	}
	io.Copy(io.Discard, r.Body)
	var it item
	walk(root, &it)
	return it
}

func main() {
	pages, _ := strconv.Atoi(os.Args[2])
	total, _ := strconv.Atoi(os.Args[3])
	conns, _ := strconv.Atoi(os.Args[4])
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: conns, MaxIdleConns: conns, DisableCompression: true}}
	todo := make(chan string, total)
	for i := 0; i < total; i++ {
		todo <- fmt.Sprintf("http://127.0.0.1:%s/pages/%04d.html", os.Args[1], i%pages)
	}
	close(todo)

	sums := map[string]int64{}
	var lock sync.Mutex
	var all sync.WaitGroup
	span := report.Start()
	for i := 0; i < conns; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for url := range todo {
				it := scrape(client, url)
				lock.Lock()
				sums["done"]++
				sums["title"] += int64(len(it.title))
				sums["content"] += int64(len(strings.Join(it.content, "\n")))
				sums["author"] += int64(len(it.author))
				sums["date"] += int64(len(it.date))
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	report.Finish(span, sums)
}
