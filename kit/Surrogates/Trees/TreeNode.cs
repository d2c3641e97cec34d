namespace ResearchKit.Surrogates;

/// <summary>A node of a decision tree.</summary>
/// <param name="Id">Number of the node; the root is 0.</param>
/// <param name="Feature">Number of the feature that it asks about; -1 for a leaf.</param>
/// <param name="Threshold">Rows with a value up to this go to the left; NaN for a leaf.</param>
/// <param name="Left">Number of the left child; -1 for a leaf.</param>
/// <param name="Right">Number of the right child; -1 for a leaf.</param>
/// <param name="Depth">Number of splits above it.</param>
/// <param name="Impurity">Gini impurity, entropy in bits, or variance of its rows.</param>
/// <param name="Samples">Number of training rows.</param>
/// <param name="WeightedSamples">Sum of their weights.</param>
/// <param name="Value">The weights of the classes, or the mean target as a single number.</param>
public sealed record TreeNode(int Id, int Feature, double Threshold, int Left, int Right, int Depth, double Impurity,
    int Samples, double WeightedSamples, IReadOnlyList<double> Value)
{
    /// <summary>Whether it has no children.</summary>
    public bool IsLeaf => Left < 0;
}
