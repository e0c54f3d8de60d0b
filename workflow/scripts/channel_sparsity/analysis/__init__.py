"""From gammas and curves to Weight Skewness, Prune Knee and how one follows the other."""
