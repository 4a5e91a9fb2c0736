// What an audit looks for, by subject. Each function appends the findings that apply;
// docs/data-sets.md lists their names and thresholds.
#pragma once

#include "apps/audit/audit.h"

namespace cdt {

/// Splits without pairs, repeated pairs, genes without pairs.
void find_in_pairs(const AuditInput& input, Findings* out);
/// What held-out pairs share with training pairs, by split or summed over folds.
std::vector<Leakage> leakages_of(const AuditInput& input);
void find_leaks(const std::vector<Leakage>& leaks, Findings* out);
/// Effects of one sign, all equal, exactly zero, or dominated by a few; labels.
void find_in_effects(const AuditInput& input, Findings* out);
/// Repeated coordinates; enhancers and windows that the assembly cannot hold.
void find_in_places(const AuditInput& input, Findings* out);
/// Windows of zeros, of equal bins, or identical at different places. Needs `dna`.
void find_in_windows(const AuditInput& input, Findings* out);
/// Names that are not gene symbols; RNA and protein rows of zeros, constant or repeated.
void find_in_genes(const AuditInput& input, Findings* out);
/// Chromosomes of the genes, distances, gene starts outside the window. Needs `starts`.
void find_in_distances(const AuditInput& input, Findings* out);
/// Signs that enhancers and gene starts are in different assemblies. Needs `starts`.
void find_in_assembly(const AuditInput& input, Findings* out);
/// Known elements at the same place, or at a recurring distance. Needs `known`.
void find_in_known_pairs(const AuditInput& input, Findings* out);

/// Number of pairs whose enhancer or gene, by `member`, is marked.
std::int64_t pairs_with(const std::vector<Pair>& pairs, std::int32_t Pair::*member,
                        const std::vector<bool>& marked);

}  // namespace cdt
