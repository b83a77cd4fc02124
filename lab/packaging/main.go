// Command bundletool checks an OLM bundle as `operator-sdk bundle validate
// --select-optional suite=operatorframework` does, by the same library, and
// carries opm's commands for file-based catalogs: the opm program itself needs
// a C compiler for its database format, which nobody writes any more.
//
//	bundletool bundle FOLDER        one line per finding; exit 1 if there is any, warnings too
//	bundletool validate FOLDER      opm validate
//	bundletool serve FOLDER ...     opm serve
//	bundletool crds                 the CRDs of OLM itself
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/operator-framework/api/crds"
	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
	"github.com/operator-framework/api/pkg/validation/errors"
	"github.com/operator-framework/operator-registry/cmd/opm/serve"
	"github.com/operator-framework/operator-registry/cmd/opm/validate"
	"github.com/operator-framework/operator-registry/pkg/lib/bundle"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

func main() {
	root := &cobra.Command{Use: "bundletool", SilenceUsage: true}
	check := &cobra.Command{Use: "bundle FOLDER", Args: cobra.ExactArgs(1), SilenceErrors: true}
	check.RunE = func(_ *cobra.Command, args []string) error {
		findings := checkBundle(args[0])
		for _, finding := range findings {
			fmt.Println(finding)
		}
		fmt.Printf("%d findings\n", len(findings))
		if len(findings) > 0 {
			return fmt.Errorf("the bundle has findings")
		}
		return nil
	}
	definitions := &cobra.Command{Use: "crds", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return printDefinitions()
	}}
	root.AddCommand(check, definitions, validate.NewCmd(), serve.NewCmd())
	if root.Execute() != nil {
		os.Exit(1)
	}
}

// checkBundle runs the format check, the validators that always run and those of the suite.
func checkBundle(folder string) []string {
	logger := logrus.New()
	logger.SetOutput(os.Stderr)
	images := bundle.NewImageValidator(nil, logrus.NewEntry(logger))
	if err := images.ValidateBundleFormat(folder); err != nil {
		return []string{"error format: " + err.Error()}
	}
	// The whole folder is loaded for the names of package and channels; what is judged is manifests/ only.
	loaded, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		return []string{"error load: " + err.Error()}
	}
	content, err := manifests.GetBundleFromDir(filepath.Join(folder, bundle.ManifestsDir))
	if err != nil {
		return []string{"error load: " + err.Error()}
	}
	content.Package, content.Channels, content.DefaultChannel = loaded.Package, loaded.Channels, loaded.DefaultChannel
	findings := objectFindings(content.Objects)
	for name, results := range validatorResults(content) {
		for _, result := range results {
			findings = append(findings, lines(name, result)...)
		}
	}
	return findings
}

func validatorResults(content *manifests.Bundle) map[string][]errors.ManifestResult {
	objects := content.ObjectsToValidate()
	for _, object := range content.Objects {
		objects = append(objects, object)
	}
	crds := []any{}
	for _, crd := range content.V1CRDs {
		crds = append(crds, crd)
	}
	return map[string][]errors.ManifestResult{
		"bundle":                validation.BundleValidator.Validate(content),
		"csv":                   validation.ClusterServiceVersionValidator.Validate(content.CSV),
		"crds":                  validation.CustomResourceDefinitionValidator.Validate(crds...),
		"operatorhubv2":         validation.OperatorHubV2Validator.Validate(objects...),
		"capabilities":          validation.StandardCapabilitiesValidator.Validate(objects...),
		"categories":            validation.StandardCategoriesValidator.Validate(objects...),
		"alpha-deprecated-apis": validation.AlphaDeprecatedAPIsValidator.Validate(objects...),
		"good-practices":        validation.GoodPracticesValidator.Validate(objects...),
		"objects":               validation.ObjectValidator.Validate(objects...),
	}
}

func lines(name string, result errors.ManifestResult) []string {
	found := []string{}
	for _, problem := range append(result.Errors, result.Warnings...) {
		found = append(found, fmt.Sprintf("%s %s: %s", problem.Level, name, problem.Error()))
	}
	return found
}

// objectFindings is what the command-line program checks beyond the library: kinds and metadata.
func objectFindings(objects []*unstructured.Unstructured) []string {
	anyName := func(string, bool) []string { return nil }
	found := []string{}
	for _, object := range objects {
		kind := object.GetKind()
		if kind == "ClusterServiceVersion" || kind == "CustomResourceDefinition" {
			continue
		}
		if supported, _ := bundle.IsSupported(kind); !supported {
			found = append(found, fmt.Sprintf("error objects: kind %s is not allowed in a bundle", kind))
		}
		for _, problem := range metavalidation.ValidateObjectMetaAccessor(object, false, anyName, field.NewPath("metadata")) {
			found = append(found, fmt.Sprintf("error objects: %s %s: %s", kind, object.GetName(), problem.Error()))
		}
	}
	return found
}

func printDefinitions() error {
	for _, definition := range []*apiextensions.CustomResourceDefinition{
		crds.CatalogSource(), crds.ClusterServiceVersion(), crds.InstallPlan(), crds.OLMConfig(),
		crds.Operator(), crds.OperatorCondition(), crds.OperatorGroup(), crds.Subscription(),
	} {
		text, err := yaml.Marshal(definition)
		if err != nil {
			return err
		}
		fmt.Printf("---\n%s", text)
	}
	return nil
}
