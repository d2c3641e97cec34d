using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>A model that can be read: a tree, a list of rules, a sum of terms.</summary>
public interface ITabularModel
{
    /// <summary>Names of the features.</summary>
    IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Whether it predicts classes; otherwise it predicts a number.</summary>
    bool IsClassifier { get; }

    /// <summary>Predicts rows.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Int64 [rows], the classes; or float64 [rows], the numbers.</returns>
    Tensor Predict(Tensor x);

    /// <summary>Writes what the model does as text.</summary>
    string ToText();
}
