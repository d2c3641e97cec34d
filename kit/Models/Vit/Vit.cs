using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// A vision transformer, an image classifier: splits an image into patches and processes them as a sequence.
/// </summary>
/// <remarks>
/// Dosovitskiy et al., 2021, https://arxiv.org/abs/2010.11929. Parameter names and layouts are those of the published image
/// classifiers of <c>transformers</c>.
/// </remarks>
public sealed class Vit : Module<Tensor, Tensor>
{
    private readonly VitEncoder vit;
    private readonly Dense? classifier;   // null without a head

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public Vit(VitConfig config) : base(nameof(Vit))
    {
        Config = config.Validated();
        vit = new VitEncoder(config);
        classifier = config.Classes == 0 ? null : Initialization.Dense(config.ModelWidth, config.Classes);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public VitConfig Config { get; }

    /// <inheritdoc cref="Gpt.RecomputesBlocks"/>
    public bool RecomputesBlocks
    {
        get => vit.RecomputesBlocks;
        set => vit.RecomputesBlocks = value;
    }

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="images">[batch, channels, height, width].</param>
    /// <returns>[batch, classes]; without a head, the features of the class token, [batch, model channels].</returns>
    /// <exception cref="ArgumentException">
    /// The images do not have the configured size or number of channels.
    /// </exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Head(Features(images)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the normalised residual stream after the last layer: the model without its head.</summary>
    /// <param name="images">[batch, channels, height, width].</param>
    /// <returns>[batch, 1 + patches, model channels]: the class token, then the patches row by row.</returns>
    public Tensor Features(Tensor images) => vit.call(images);

    /// <summary>Computes logits from the class token.</summary>
    /// <param name="features">[batch, 1 + patches, model channels].</param>
    /// <returns>[batch, classes]; without a head, the features of the class token, [batch, model channels].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var first = features[.., 0];
        return (classifier is null ? first.contiguous() : classifier.call(first)).MoveToOuterDisposeScope();
    }
}
