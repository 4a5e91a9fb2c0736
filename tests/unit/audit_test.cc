// The findings of an audit: each appears in a data set with its defect, and not in one without.
#include "apps/audit/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/support/audit_world.h"

namespace cdt {
namespace {

using test::AuditWorld;

struct Defect {
  const char* finding;
  std::function<void(AuditWorld&)> plant;
};

/// All effects of the world, by member.
void for_pairs(AuditWorld& world, const std::function<void(Pair&)>& change) {
  std::for_each(world.data.pairs.begin(), world.data.pairs.end(), change);
}

void shift_enhancers(AuditWorld& world, std::int64_t bp) {
  for (Enhancer& e : world.data.enhancers) {
    e.start += bp;
    e.end += bp;
  }
}

void use_one_chromosome(AuditWorld& world) {
  for (auto& start : world.starts->of_gene) start->chrom = "chr1";
  for (Enhancer& e : world.data.enhancers) e.chrom = "chr1";
}

/// The measured elements, as a list of known ones.
void know_all(AuditWorld& world, std::int64_t offset) {
  KnownPairs& known = world.known.emplace();
  known.file = "known.tsv";
  for (const Pair& pair : world.data.pairs) {
    Locus place = enhancer_of(world.data, pair);
    place.start += offset;
    place.end += offset;
    known.pairs.push_back({place, gene_of(world.data, pair)});
  }
}

std::vector<float> same_bins() {
  std::vector<float> out;
  for (int bin = 0; bin < AuditWorld::kBins; ++bin) {
    for (int i = 0; i < AuditWorld::kDim; ++i) out.push_back(static_cast<float>(i) - 1.5F);
  }
  return out;
}

const std::vector<Defect>& defects() {
  static const std::vector<Defect> all = {
      {"no_training_pairs",
       [](AuditWorld& w) { for_pairs(w, [](Pair& p) { p.split = Split::kTest; }); }},
      {"no_test_pairs",
       [](AuditWorld& w) {
         for_pairs(w, [](Pair& p) {
           if (p.split == Split::kTest) p.split = Split::kVal;
         });
       }},
      {"repeated_pairs", [](AuditWorld& w) { w.data.pairs.push_back(w.data.pairs.back()); }},
      {"pairs_in_val_and_test",
       [](AuditWorld& w) {
         w.data.pairs.push_back(w.data.pairs.back());
         w.data.pairs.back().split = Split::kVal;
       }},
      {"genes_without_pairs",
       [](AuditWorld& w) {
         std::erase_if(w.data.pairs, [](const Pair& p) { return p.gene == 3; });
       }},
      {"genes_without_training_pairs",
       [](AuditWorld& w) {
         std::erase_if(w.data.pairs,
                       [](const Pair& p) { return p.gene == 3 && p.split == Split::kTrain; });
       }},
      {"pairs_in_train",
       [](AuditWorld& w) {
         w.data.pairs.push_back(w.data.pairs.front());
         w.data.pairs.back().split = Split::kTest;
       }},
      {"enhancers_in_train",
       [](AuditWorld& w) {
         w.data.pairs.push_back(w.data.pairs.front());
         w.data.pairs.back().split = Split::kTest;
         w.data.pairs.back().gene = 20;
       }},
      {"loci_in_train",
       [](AuditWorld& w) {
         for_pairs(w, [](Pair& p) {
           if (p.enhancer == 1) p.split = Split::kVal;  // the other one near gene 0
         });
       }},
      {"windows_in_train",
       [](AuditWorld& w) {
         w.windows[2] = w.windows[4];  // val, and training of another gene
         w.windows[2][0] += 1e-3F;
       }},
      {"equal_effects",
       [](AuditWorld& w) {
         for_pairs(w, [](Pair& p) {
           if (p.split == Split::kVal) p.beta = 0.25F;
         });
       }},
      {"effects_of_one_sign",
       [](AuditWorld& w) { for_pairs(w, [](Pair& p) { p.beta = -std::abs(p.beta); }); }},
      {"zero_effects", [](AuditWorld& w) { w.data.pairs[0].beta = w.data.pairs[1].beta = 0.0F; }},
      {"few_effects_dominate", [](AuditWorld& w) { w.data.pairs[5].beta = 1.0F; }},
      {"labels_of_one_kind",
       [](AuditWorld& w) {
         for_pairs(w, [](Pair& p) {
           if (p.split == Split::kTest) p.label = 0;
         });
       }},
      {"labels_contradict_sign",
       [](AuditWorld& w) {
         const auto up = std::find_if(w.data.pairs.begin(), w.data.pairs.end(),
                                      [](const Pair& p) { return p.beta > 0.0F; });
         up->label = 1;
       }},
      {"labels_unlike_effects",
       [](AuditWorld& w) { for_pairs(w, [](Pair& p) { p.label = std::abs(p.beta) < 0.03F; }); }},
      {"repeated_coordinates",
       [](AuditWorld& w) {
         w.data.enhancers[1].start = w.data.enhancers[0].start;
         w.data.enhancers[1].end = w.data.enhancers[0].end;
       }},
      {"chromosome_sizes_unknown", [](AuditWorld& w) { w.data.assembly = "mm10"; }},
      {"enhancers_past_chromosome_end",
       [](AuditWorld& w) { w.data.enhancers[0].end = 248'956'423; }},
      {"enhancers_on_other_chromosomes", [](AuditWorld& w) { w.data.enhancers[0].chrom = "1"; }},
      {"windows_past_chromosome_end",
       [](AuditWorld& w) {
         w.data.enhancers[0].start = 100;
         w.data.enhancers[0].end = 600;
       }},
      {"zero_windows",
       [](AuditWorld& w) { std::fill(w.windows[0].begin(), w.windows[0].end(), 0.0F); }},
      {"constant_windows", [](AuditWorld& w) { w.windows[0] = same_bins(); }},
      {"identical_windows", [](AuditWorld& w) { w.windows[0] = w.windows[4]; }},
      {"identifiers_as_symbols", [](AuditWorld& w) { w.data.genes[0] = "ENSG00000141510.18"; }},
      {"dates_as_symbols", [](AuditWorld& w) { w.data.genes[0] = "1-Mar"; }},
      {"lower_case_symbols", [](AuditWorld& w) { w.data.genes[0] = "Gfi1b"; }},
      {"rna_rows_zero", [](AuditWorld& w) { std::fill_n(w.data.rna.begin(), 3, 0.0F); }},
      {"rna_rows_constant", [](AuditWorld& w) { std::fill_n(w.data.rna.begin(), 3, 0.5F); }},
      {"rna_rows_repeated",
       [](AuditWorld& w) { std::copy_n(w.data.rna.begin(), 3, w.data.rna.begin() + 6); }},
      {"protein_rows_zero", [](AuditWorld& w) { std::fill_n(w.data.protein.begin(), 3, 0.0F); }},
      {"protein_rows_constant",
       [](AuditWorld& w) { std::fill_n(w.data.protein.begin(), 3, 2.0F); }},
      {"protein_rows_repeated",
       [](AuditWorld& w) { std::copy_n(w.data.protein.begin(), 3, w.data.protein.begin() + 6); }},
      {"genes_without_start", [](AuditWorld& w) { w.starts->of_gene[7].reset(); }},
      {"genes_on_few_chromosomes", use_one_chromosome},
      {"gene_starts_outside_windows", [](AuditWorld& w) { w.data.bin_bp = 1024; }},
      {"genes_on_other_chromosomes", [](AuditWorld& w) { w.data.enhancers[0].chrom = "chr9"; }},
      {"genes_beyond_screen_limit", [](AuditWorld& w) { shift_enhancers(w, 2'500'000); }},
      {"enhancers_on_one_side_of_genes",
       [](AuditWorld& w) {
         use_one_chromosome(w);
         shift_enhancers(w, 400'000);
       }},
      {"known_elements", [](AuditWorld& w) { know_all(w, 0); }},
      {"known_elements_at_offset", [](AuditWorld& w) { know_all(w, 465'556); }},
  };
  return all;
}

bool has(const Audit& audit, const char* name) {
  return find_finding(audit.findings, name) != nullptr;
}

TEST(Audit, NothingToWarnOf) {
  const Audit audit = AuditWorld().audit();
  EXPECT_EQ(count_warnings(audit.findings), 0) << audit_text(audit);
  EXPECT_TRUE(has(audit, "genes_in_train"));
  EXPECT_TRUE(has(audit, "enhancer_gene_distances"));
  EXPECT_EQ(audit.findings.size(), 2U) << audit_text(audit);
}

TEST(Audit, EachDefectIsFound) {
  const Audit clean = AuditWorld().audit();
  for (const Defect& defect : defects()) {
    EXPECT_FALSE(has(clean, defect.finding)) << defect.finding;
    AuditWorld world;
    defect.plant(world);
    const Audit audit = world.audit();
    EXPECT_TRUE(has(audit, defect.finding)) << defect.finding << "\n" << audit_text(audit);
  }
}

/// A finding is one sentence, whatever its numbers.
TEST(Audit, FindingsAreOneSentence) {
  for (const Defect& defect : defects()) {
    AuditWorld world;
    defect.plant(world);
    for (const Finding& finding : world.audit().findings) {
      const std::string& text = finding.sentence;
      EXPECT_EQ(text.back(), '.') << text;
      EXPECT_EQ(text.find(". "), std::string::npos) << text;
      EXPECT_TRUE(finding.numbers.is_object()) << finding.name;
    }
  }
}

TEST(Audit, WithoutGeneStartsNothingIsSaidOfDistances) {
  AuditWorld world;
  world.starts.reset();
  const Audit audit = world.audit();
  EXPECT_FALSE(has(audit, "enhancer_gene_distances"));
  EXPECT_EQ(audit.findings.size(), 1U) << audit_text(audit);
}

TEST(Audit, GenesOfNoTrainingPairAreNoLeak) {
  AuditWorld world;
  for_pairs(world, [](Pair& p) { p.split = p.gene < 20 ? Split::kTrain : Split::kTest; });
  EXPECT_FALSE(has(world.audit(), "genes_in_train"));
}

TEST(Audit, EnhancersOnBothSidesAreNotShifted) {
  AuditWorld world;
  use_one_chromosome(world);
  const Audit audit = world.audit();
  EXPECT_FALSE(has(audit, "enhancers_on_one_side_of_genes")) << audit_text(audit);
}

TEST(Audit, NumbersOfDistances) {
  const Audit audit = AuditWorld().audit();
  const auto& numbers = find_finding(audit.findings, "enhancer_gene_distances")->numbers;
  EXPECT_EQ(numbers["pairs_0_20_kb"], 0);
  EXPECT_EQ(numbers["pairs_20_100_kb"], 80);
  EXPECT_EQ(numbers["pairs_100_2500_kb"], 80);
  EXPECT_EQ(numbers["pairs_other_chromosome"], 0);
  EXPECT_EQ(numbers["pairs_start_in_window"], 80);
}

TEST(Audit, KnownElementsCoincideOrLieAtOneOffset) {
  AuditWorld same;
  know_all(same, 0);
  const Audit found = same.audit();
  EXPECT_EQ(find_finding(found.findings, "known_elements")->severity, Severity::kNote);
  EXPECT_EQ(find_finding(found.findings, "known_elements")->numbers["coincide"], 160);
  EXPECT_FALSE(has(found, "known_elements_at_offset"));

  AuditWorld moved;
  know_all(moved, 465'556);
  const Audit audit = moved.audit();
  EXPECT_EQ(find_finding(audit.findings, "known_elements")->severity, Severity::kWarning);
  const auto& numbers = find_finding(audit.findings, "known_elements_at_offset")->numbers;
  EXPECT_EQ(numbers["known_elements"], 160);
  EXPECT_EQ(numbers["offsets"].size(), 20U);  // one per chromosome
  for (const auto& offset : numbers["offsets"]) EXPECT_EQ(offset["bp"], 465'556);
}

/// Elements at unrelated places share no offset.
TEST(Audit, UnrelatedKnownElementsHaveNoOffset) {
  AuditWorld world;
  know_all(world, 0);
  RandomStream random(3, 4);
  for (KnownPair& pair : world.known->pairs) {
    const auto shift = static_cast<std::int64_t>(1e5 + 1e6 * std::abs(random.normal()));
    pair.element.start += shift;
    pair.element.end += shift;
  }
  const Audit audit = world.audit();
  EXPECT_TRUE(has(audit, "known_elements"));
  EXPECT_FALSE(has(audit, "known_elements_at_offset")) << audit_text(audit);
}

TEST(Audit, OrdinarySymbols) {
  AuditWorld world;
  world.data.genes[0] = "C1orf43";
  world.data.genes[1] = "HLA-DRB1";
  world.data.genes[2] = "NKX2-5";
  world.data.genes[3] = "AC012345.6";
  world.data.genes[4] = "ENSA";
  world.data.genes[5] = "MARCHF1";
  EXPECT_EQ(count_warnings(world.audit().findings), 0) << audit_text(world.audit());
  for (const char* date : {"2-Sep", "Mar-01", "2006-03-01", "3/1/2006"}) {
    world.data.genes[0] = date;
    EXPECT_TRUE(has(world.audit(), "dates_as_symbols")) << date;
  }
  for (const char* identifier : {"7157", "NM_000546.6", "ENSMUSG00000059552"}) {
    world.data.genes[0] = identifier;
    EXPECT_TRUE(has(world.audit(), "identifiers_as_symbols")) << identifier;
  }
}

TEST(Audit, FoldsAreSummarisedAndSummedOver) {
  AuditWorld world;
  for_pairs(world, [](Pair& p) { p.fold = p.enhancer % 4 + 1; });
  world.data.folds = 4;
  const Audit audit = world.audit();
  EXPECT_EQ(audit.folds.size(), 4U);
  EXPECT_EQ(audit.folds.front().second.pairs, 40);
  // Folds 1 and 2 hold the two overlapping windows of each gene.
  const auto& numbers = find_finding(audit.findings, "loci_in_train")->numbers;
  EXPECT_EQ(numbers["test of 4 folds"]["shared"], 40);
}

TEST(Audit, WarningsComeFirst) {
  AuditWorld world;
  world.data.pairs.push_back(world.data.pairs.front());
  const std::string text = audit_text(world.audit());
  EXPECT_EQ(text.rfind("1 warning, 2 notes\nWARNING repeated_pairs: ", 0), 0U) << text;
  EXPECT_LT(text.find("WARNING"), text.find("note    genes_in_train"));
  EXPECT_NE(text.find("\nval "), std::string::npos) << text;
}

TEST(Audit, FindingsReadBack) {
  AuditWorld world;
  world.windows[0] = same_bins();
  const Findings written = world.audit().findings;
  const Findings read =
      read_findings(nlohmann::json::parse(findings_json(written).dump()), "audit.json");
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, written[i].name);
    EXPECT_EQ(read[i].severity, written[i].severity);
    EXPECT_EQ(read[i].sentence, written[i].sentence);
  }
}

}  // namespace
}  // namespace cdt
