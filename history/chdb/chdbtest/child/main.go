// Command child is the engine's process on its own, for tests: it is built without the race detector, whatever the tests are built with, and
// is all that loads the library.
package main

import (
	"fmt"
	"os"

	"github.com/tocsin-noc/tocsin/history/chdb/engine"
)

func main() {
	if err := engine.Run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
