# Everything CI runs is a target here. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
TOOLS := $(CURDIR)/.tools/bin
GOLANGCI_LINT := $(TOOLS)/golangci-lint
GOLANGCI_LINT_VERSION := v2.15.0
NFPM := $(TOOLS)/nfpm
NFPM_VERSION := v2.45.2
PROMETHEUS := $(CURDIR)/.tools/prometheus
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/orderq
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/orderq ./cmd/orderq

.PHONY: run
run: build ## try it: Redis, a simulated partner, producer and consumer; ARGS='--orders 20'
	bin/orderq dev $(ARGS)

.PHONY: test
test: redis test-race test-timed ## all tests: with the race detector, then the timed ones alone

.PHONY: test-race
test-race:
	$(GO) vet -tags timed ./...
	$(GO) test -race -shuffle=on ./...

# What measures time runs alone and without the race detector.
.PHONY: test-timed
test-timed:
	$(GO) test -count=1 -tags timed -run Timed -p 1 -v ./internal/campaign | grep -v '^=== '

.PHONY: test-pace
test-pace: redis ## two minutes of three consumers at 1/s
	ORDERQ_TEST_PACE_SECONDS=120 $(GO) test -count=1 -tags timed -run TimedPace -p 1 -v ./internal/campaign | grep -v '^=== '

.PHONY: campaign
campaign: redis ## the long forms: ten kill campaigns, masters killed, outages, clocks, a million orders, 5,000 model sequences
	for i in 1 2 3 4 5 6 7 8 9 10; do $(GO) test -count=1 -run Kill ./internal/campaign; done
	ORDERQ_TEST_KILLS=5 ORDERQ_TEST_WALL_CLOCK=1 ORDERQ_TEST_OUTAGE_SECONDS=30 \
	  $(GO) test -count=1 -timeout 30m -v -run 'Sentinel|ClockJumps|Outage|Poison' ./internal/campaign | grep -v '^=== '
	ORDERQ_TEST_IMPORT=100000 $(GO) test -count=1 -timeout 20m -v -run ImportList ./internal/campaign | grep -v '^=== '
	ORDERQ_TEST_BACKUP=1000000 $(GO) test -count=1 -timeout 20m -v -run "Restore|BackupOfMany" ./internal/campaign | grep -v "^=== "
	ORDERQ_TEST_BACKLOG=1000000 $(GO) test -count=1 -timeout 20m -v -run ReadingNeverHarms ./internal/campaign | grep -v '^=== '
	ORDERQ_TEST_SEQUENCES=5000 $(GO) test -count=1 -timeout 60m -run Property ./streamutil

.PHONY: test-import
test-import: build ## import-list against a pusher and a processor with php-redis from Debian
	bash internal/phplist/drill.sh

.PHONY: fuzz
fuzz: ## a minute on every fuzz target
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 60s $$pkg; done; done

.PHONY: bench
bench: redis ## benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-http
bench-http: build ## POST /v1/orders against nginx, php-fpm and phpredis from Debian; ARGS='--rounds 3'
	bash internal/bench/php/compare.sh $(ARGS)

.PHONY: check
check: test lint units rules monitoring test-install-short browser test-pace ## all that CI runs
	$(GO) mod verify

.PHONY: lint
lint: $(GOLANGCI_LINT) ## linters and formatters
	$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## format the code
	$(GOLANGCI_LINT) fmt ./...

# Built from source once: what it needs does not enter go.mod.
$(GOLANGCI_LINT):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

.PHONY: units
units: build ## what systemd says of the unit files
	bash deploy/systemd/verify.sh bin/orderq

.PHONY: package
package: $(NFPM) ## deb and rpm for amd64 and arm64 in dist/
	@rm -f dist/*.deb dist/*.rpm
	bash deploy/package/build.sh $(NFPM) $(VERSION)

.PHONY: test-install
test-install: ## deb and rpm under a systemd that really boots; ARGS=--short: only the first order
	bash deploy/package/test-install.sh $(NFPM) $(ARGS)

.PHONY: test-install-short
test-install-short: # it says so and succeeds where no container can be booted
	bash deploy/package/test-install.sh $(NFPM) --short

# The last version for which every module it needs can be had.
$(NFPM):
	GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)

.PHONY: rules
rules: prometheus ## alert rules, their tests, and the example configurations
	bash deploy/prometheus/check.sh $(PROMETHEUS)

.PHONY: dashboard
dashboard: ## write deploy/grafana/orderq.json from internal/dashboard
	$(GO) generate ./internal/dashboard

.PHONY: monitoring
monitoring: redis prometheus ## a killed consumer, seen through Prometheus to a webhook; every query of the dashboard
	$(GO) test -count=1 -tags prometheus -run Chain -v ./internal/monitoring | grep -v '^=== '
	$(GO) test -count=1 -tags prometheus -run OnPrometheus -v ./internal/dashboard | grep -v '^=== '

.PHONY: browser
browser: build redis ## the browser module and the order page, in Node and Chromium; ARGS=--pictures draws docs/pictures
	bash internal/browser/test.sh $(ARGS)

# Unpacked, not installed: nothing is started.
.PHONY: prometheus
prometheus:
	@bash deploy/prometheus/fetch.sh $(PROMETHEUS)

# Tests need a real redis-server. It is installed where nobody has to be asked.
.PHONY: redis
redis:
	@command -v redis-server >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends redis-server >/dev/null; \
	elif [ -n "$${CI:-}" ] && command -v sudo >/dev/null; then \
	  sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends redis-server >/dev/null; \
	else \
	  echo "the tests need redis-server (7.0 or later); install it with: sudo apt-get install redis-server" >&2; exit 1; \
	fi

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist .tools
