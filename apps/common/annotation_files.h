// Reads the files of --annotations, and finds reasons to doubt their assembly.
#pragma once

#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/annotations.h"
#include "io/genome/assembly.h"

namespace cdt {

/// Elements on a chromosome, or null.
const ElementList* elements_on(const Annotations& annotations, const std::string& chrom);

/// Reads the files of --annotations. Throws InputError for two files of one name and for a file
/// that shares no chromosome with the data set's enhancers.
std::vector<Annotations> read_annotation_files(const std::vector<std::string>& paths,
                                               const Dataset& data);

/// One line on which elements of a file are ignored; "" if none are.
std::string left_out_text(const Annotations& annotations);

/// Reasons to doubt that file and data set have the same assembly, one line each: the file names
/// another assembly, or has elements past the end of a chromosome.
std::vector<std::string> assembly_doubts(const Annotations& annotations, const Dataset& data,
                                         const ChromosomeSizes& sizes);

}  // namespace cdt
