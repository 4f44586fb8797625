# SPDX-License-Identifier: MIT
"""The scrape on Scrapy: scrape_scrapy.py PORT PAGES COUNT CONNECTIONS."""
import sys

import report
import scrapy
from scrapy.crawler import CrawlerProcess

PORT, PAGES, TOTAL, CONNS = (int(a) for a in sys.argv[1:5])
KEYS = ("title", "content", "author", "date")
seen = dict.fromkeys(("done",) + KEYS, 0)


class Posts(scrapy.Spider):
    name = "posts"

    def start_requests(self):
        for i in range(TOTAL):
            url = f"http://127.0.0.1:{PORT}/pages/{i % PAGES:04d}.html"
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response):
        paragraphs = response.css(".post-content > p").xpath("string()").getall()
        yield {
            "title": response.css(".post-title").xpath("string()").get().strip(),
            "content": "\n".join(p.strip() for p in paragraphs),
            "author": response.css(".author-name").xpath("string()").get().strip(),
            "date": response.css(".post-date::attr(datetime)").get(),
        }


class Count:
    def process_item(self, item, spider):
        seen["done"] += 1
        for key in KEYS:
            seen[key] += len(item[key].encode())
        return item


if __name__ == "__main__":
    span = report.start()
    process = CrawlerProcess(
        {
            "CONCURRENT_REQUESTS": CONNS,
            "CONCURRENT_REQUESTS_PER_DOMAIN": CONNS,
            "ITEM_PIPELINES": {Count: 1},
            "LOG_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "ROBOTSTXT_OBEY": False,
            "REQUEST_FINGERPRINTER_IMPLEMENTATION": "2.7",
        }
    )
    process.crawl(Posts)
    process.start()
    report.finish(span, **seen)
