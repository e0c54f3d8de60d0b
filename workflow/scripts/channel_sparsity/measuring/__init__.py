"""What is measured of one network: Weight Skewness of its gammas, Prune Knee of its curve."""
