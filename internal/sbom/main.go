// Command sbom writes what a Go program was made of, as a CycloneDX 1.6
// document, to standard output: sbom -version VERSION -epoch SECONDS
// -licences FOLDER PROGRAM. What is listed comes from the build information in the
// program itself: what is linked in and nothing else.
package main

import (
	"flag"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	epoch := flag.Int64("epoch", 0, "the document's time, in seconds since 1970")
	version := flag.String("version", "", "the program's version")
	licences := flag.String("licences", "", "a folder with the licence of each module in a folder of its path, and of Go in go")
	flag.Parse()
	if flag.NArg() != 1 || *version == "" {
		log.Fatal("sbom: want a -version and the name of one program")
	}
	text, err := of(flag.Arg(0), *version, *licences, time.Unix(*epoch, 0))
	if err != nil {
		log.Fatalf("sbom: %v", err)
	}
	if _, err := os.Stdout.Write(text); err != nil {
		log.Fatalf("sbom: %v", err)
	}
}
