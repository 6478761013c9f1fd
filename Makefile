# The front door. CMake does the work; `make help` says what there is.
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
TEST_SECONDS ?= 120
CTEST = ctest --output-on-failure --no-tests=error --timeout $(TEST_SECONDS) -j $(JOBS)

.PHONY: all setup configure run test soak san tsan fuzz check bench install clean help

all: configure
	@cmake --build $(BUILD) -j $(JOBS) >&2

setup:
	@tools/setup --check >/dev/null 2>&1 || tools/setup

configure: setup
	@[ -e $(BUILD)/build.ninja ] || cmake -G Ninja -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_ARGS) >/dev/null

run: all ## the demo: real readings become real payouts, on this machine
	@$(BUILD)/weir demo $(ARGS)

test: all ## every test; T="words" runs the cases whose name contains them
	@cd $(BUILD) && $(CTEST) $(if $(T),-R "$(T)")

soak: TEST_SECONDS = 7200
soak: all ## hundreds of faults where make test has a few, and more seeds; T="words"
	@cd $(BUILD) && WEIR_SOAK=1 $(CTEST) -R "$(if $(T),$(T),relay_pg|_sim: )"

san: ## every test under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory all BUILD=build-san CMAKE_ARGS="-DWEIR_SANITIZE=address,undefined -DWEIR_BENCH=OFF"
	@cd build-san && $(CTEST) $(if $(T),-R "$(T)")

tsan: ## the threaded parts under ThreadSanitizer
	@$(MAKE) --no-print-directory all BUILD=build-tsan CMAKE_ARGS="-DWEIR_SANITIZE=thread -DWEIR_BENCH=OFF"
	@cd build-tsan && $(CTEST) -R "$(if $(T),$(T),broker|publish|relay|consume|member|schema_public)"

fuzz: setup ## searches for inputs that break readers; FUZZ_SECONDS=60 each, T=json one target, T=ajv beside ajv
	@tools/setup --fuzz && FUZZ_SECONDS="$(FUZZ_SECONDS)" JOBS="$(JOBS)" tools/fuzz $(T)

check: setup ## house rules: format, floors, doors, banned calls, sizes
	@tools/check

bench: all ## speed as ratios, side by side in one run
	@bench/run $(B)

install: all ## PREFIX=/usr/local
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## removes what builds made
	@rm -rf build build-*

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile
