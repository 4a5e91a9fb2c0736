// The files of --annotations, and what speaks against their assembly.
#pragma once

#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/annotations.h"
#include "io/genome/assembly.h"

namespace cdt {

/// The elements on a chromosome, or null.
const ElementList* elements_on(const Annotations& annotations, const std::string& chrom);

/// Reads the files of --annotations. InputError for two of one name and for one that shares no
/// chromosome with the data set's enhancers.
std::vector<Annotations> read_annotation_files(const std::vector<std::string>& paths,
                                               const Dataset& data);

/// One line on what of a file does not count: "" if all does.
std::string left_out_text(const Annotations& annotations);

/// What speaks against file and data set having one assembly, a line each: another assembly named
/// in the file, or elements past a chromosome's end.
std::vector<std::string> assembly_doubts(const Annotations& annotations, const Dataset& data,
                                         const ChromosomeSizes& sizes);

}  // namespace cdt
