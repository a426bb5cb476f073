package producer

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

//go:embed openapi.yaml
var openAPI []byte

// variant is one form in which a file is sent.
type variant struct {
	encoding string // Content-Encoding
	tag      string // ETag: each form has its own
	content  []byte
}

// newVariant compresses nothing by itself.
func newVariant(encoding string, content []byte) variant {
	sum := sha256.Sum256(content)
	return variant{encoding, `"` + hex.EncodeToString(sum[:8]) + `"`, content}
}

// static serves a file that is part of the program, to every page. It is
// compressed once. The header's names and values are added in turn.
func static(contentType string, content []byte, more ...string) endpoint {
	plain, small := newVariant("", content), newVariant("gzip", compressed(content))
	return func(w http.ResponseWriter, r *http.Request) *problem {
		header := w.Header()
		header.Set("Content-Type", contentType)
		header.Set("Cache-Control", "no-cache") // ask whether it is still the same
		header.Set("Access-Control-Allow-Origin", "*")
		header.Add("Vary", "Accept-Encoding")
		for i := 0; i < len(more); i += 2 {
			header.Set(more[i], more[i+1])
		}
		v := plain
		if takesGzip(r.Header.Values("Accept-Encoding")) {
			v = small
		}
		known := r.Header.Get("If-None-Match")
		for _, had := range []variant{v, plain, small} { // all are the same file
			if known == "*" || strings.Contains(known, had.tag) {
				header.Set("ETag", had.tag)
				w.WriteHeader(http.StatusNotModified)
				return nil
			}
		}
		header.Set("ETag", v.tag)
		if v.encoding != "" {
			header.Set("Content-Encoding", v.encoding)
		}
		header.Set("Content-Length", strconv.Itoa(len(v.content)))
		_, _ = w.Write(v.content)
		return nil
	}
}

func compressed(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil { // only for a level that does not exist
		panic(err)
	}
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// takesGzip reports whether a client says that it reads gzip (RFC 9110, 12.5.3).
func takesGzip(accepted []string) bool {
	for part := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(weight)), "q="), 64)
		return err != nil || q > 0
	}
	return false
}
