package producer

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"orderq/metrics"
)

// maxItems is the bound in document's tags; the reader stops just above it.
const maxItems = 500

// The time package is more generous: hours of one digit, comma fractions.
var timeShape = regexp.MustCompile(`^.{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// validOrderID reports whether id can be an order's id at all.
func validOrderID(id string) bool {
	return len(id) <= 128 && isOrderID(id)
}

// rule is what a validator tag means to a client.
type rule struct{ code, detail string }

// rules has every tag of document but the lengths; a tag that is missing here
// fails a test.
var rules = map[string]rule{
	"required":         {"required", "must be present"},
	"required_with":    {"required", "must be present with amount"},
	"required_without": {"required", "sku or name must be present"},
	"order_id":         {"format", "must be of A-Z a-z 0-9 . _ : - and begin with a letter or digit"},
	"decimal":          {"format", "must be a decimal number, such as 12.50"},
	"not_negative":     {"range", "must be 0 or more"},
	"at_least_one":     {"range", "must be 1 or more"},
	"iso4217":          {"enum", "must be a currency code of ISO 4217, such as EUR"},
	"email":            {"format", "must be an e-mail address"},
	"phone":            {"format", "must be of digits, space and + - ( ) # ."},
	"rfc3339":          {"format", "must be a time of RFC 3339, such as 2006-01-02T15:04:05Z"},
}

// newValidator makes the validator of documents.
func newValidator() (*validator.Validate, error) {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get("json") })
	var errs []error
	for tag, holds := range map[string]func(string) bool{
		"order_id":     isOrderID,
		"phone":        isPhone,
		"decimal":      isDecimal,
		"not_negative": notNegative,
		"at_least_one": atLeastOne,
		"rfc3339":      isTime,
	} {
		errs = append(errs, v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return holds(f.Field().String()) }))
	}
	return v, errors.Join(errs...)
}

// notNegative looks at signs and digits only, so that -1e-999999999 is negative
// and no exponent takes time. Minus zero is zero.
func notNegative(number string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	return mantissa == "" || mantissa[0] != '-' || !strings.ContainsAny(mantissa, "123456789")
}

// atLeastOne compares as floating point; what is too large for that is enough.
func atLeastOne(number string) bool {
	f, _ := strconv.ParseFloat(number, 64)
	return f >= 1
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && timeShape.MatchString(s)
}

// check decodes and checks an order. It gives the order's id, if it has a valid
// one, and the problem with all that is wrong. The header is the request's
// Idempotency-Key; an order of a batch has none (nil).
func (h *Handler) check(body []byte, header *string) (id string, p *problem) {
	r := reader{idField: h.cfg.IDField}
	if err := decode(body, r.member); err != nil {
		return "", problemMalformed(err)
	}
	fromHeader := r.doc.OrderID == nil && header != nil && *header != ""
	if fromHeader {
		id := idFromHeader(*header)
		r.doc.OrderID = &id
	}
	if r.doc.OrderID == nil {
		missing := rules["required"].detail
		if header != nil {
			missing += ", here or in the header Idempotency-Key"
		}
		r.faults = append(r.faults, fieldError{pointer(h.cfg.IDField), "required", missing})
	}
	faults, err := h.applyRules(&r)
	switch {
	case err != nil:
		return "", problemInternal(err).counted(metrics.RejectedInternal)
	case len(faults) > 0:
		if fromHeader {
			tellHeader(faults, pointer(h.cfg.IDField))
		}
		if r.doc.OrderID == nil || !validOrderID(*r.doc.OrderID) {
			return "", problemInvalid(faults)
		}
		return *r.doc.OrderID, problemInvalid(faults)
	}
	return *r.doc.OrderID, nil
}

// applyRules gives the faults of the reader's document: those of type, and
// what the rules find elsewhere.
func (h *Handler) applyRules(r *reader) ([]fieldError, error) {
	err := h.rules.Struct(&r.doc)
	var broken validator.ValidationErrors
	if err != nil && !errors.As(err, &broken) {
		return nil, fmt.Errorf("apply the rules: %w", err)
	}
	faults := r.faults
	known := make(map[string]bool, len(faults))
	for _, f := range faults {
		known[f.Pointer] = true
	}
	for _, e := range broken {
		f := h.faultOf(e)
		if !coveredBy(known, f.Pointer) {
			faults = append(faults, f)
		}
	}
	return faults, nil
}

// coveredBy reports whether the pointer, or what contains it, is known to be
// at fault: of an item that is no object nothing else need be said.
func coveredBy(known map[string]bool, pointer string) bool {
	for p := pointer; p != "#"; p = p[:strings.LastIndexByte(p, '/')] {
		if known[p] {
			return true
		}
	}
	return false
}

// faultOf says in our words what the validator found.
func (h *Handler) faultOf(e validator.FieldError) fieldError {
	// The namespace is document.items[3].sku.
	_, name, _ := strings.Cut(e.Namespace(), ".")
	path := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if name == "order_id" {
		path[0] = h.cfg.IDField
	}
	f := fieldError{Pointer: pointer(path...)}
	if r, ok := rules[e.Tag()]; ok {
		f.Code, f.Detail = r.code, r.detail
		return f
	}
	unit := "characters"
	if e.Kind() == reflect.Slice {
		unit = "items"
	}
	f.Code, f.Detail = "length", "must have at "+map[string]string{"min": "least ", "max": "most "}[e.Tag()]+e.Param()+" "+unit
	return f
}

// tellHeader says of faults at the id that the header was meant.
func tellHeader(faults []fieldError, at string) {
	for i := range faults {
		if faults[i].Pointer == at {
			faults[i].Detail += " (it was taken from the header Idempotency-Key)"
		}
	}
}
