using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Embeddings of the class token and the patches of an image, with positions.</summary>
internal sealed class VitEmbeddings : Module<Tensor, Tensor>
{
    private readonly Parameter cls_token;             // [1, 1, channels]
    private readonly Parameter position_embeddings;   // [1, 1 + patches, channels]
    private readonly VitPatchEmbeddings patch_embeddings;
    private readonly Dropout dropout;
    private readonly HookPoint hook_embed = new(), hook_pos_embed = new();   // [batch, 1 + patches, channels]

    public VitEmbeddings(VitConfig config) : base(nameof(VitEmbeddings))
    {
        cls_token = Parameter(init.normal_(empty(1, 1, config.ModelWidth), 0, 0.02));
        position_embeddings = Parameter(init.normal_(empty(1, 1 + config.Patches, config.ModelWidth), 0, 0.02));
        patch_embeddings = new VitPatchEmbeddings(config);
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    /// <param name="images">[batch, channels, height, width].</param>
    /// <returns>[batch, 1 + patches, model channels].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var patches = patch_embeddings.call(images);
        var x = hook_embed.Pass(cat([cls_token.expand(patches.shape[0], -1, -1), patches], 1));
        Tensor positions = position_embeddings;
        if (hook_pos_embed.IsWatched) positions = hook_pos_embed.call(positions.expand(x.shape));
        return dropout.call(x + positions).MoveToOuterDisposeScope();
    }
}

/// <summary>Embeds each patch of an image as a vector, row by row.</summary>
internal sealed class VitPatchEmbeddings : Module<Tensor, Tensor>
{
    private readonly VitPatchProjection projection;

    public VitPatchEmbeddings(VitConfig config) : base(nameof(VitPatchEmbeddings))
    {
        projection = new VitPatchProjection(config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images) => projection.call(images);
}

/// <summary>
/// Linear projection of patches: a convolution whose stride equals its kernel size, computed as one matrix
/// product.
/// </summary>
internal sealed class VitPatchProjection : Module<Tensor, Tensor>, IPackableLayer
{
    private readonly Parameter weight;   // [model channels, channels, patch height, patch width], as in the convolution
    private readonly Parameter bias;     // [model channels]
    private readonly VitConfig config;
    private PackedLinear? packed;        // in a model that is packed for inference

    public VitPatchProjection(VitConfig config) : base(nameof(VitPatchProjection))
    {
        this.config = config;
        weight = Parameter(init.normal_(empty(config.ModelWidth, config.Channels, config.PatchSize, config.PatchSize), 0, 0.02));
        bias = Parameter(zeros(config.ModelWidth));
        RegisterComponents();
    }

    /// <param name="images">[batch, channels, height, width].</param>
    /// <returns>[batch, patches, model channels].</returns>
    public override Tensor forward(Tensor images)
    {
        var size = config.ImageSize;
        var patch = config.PatchSize;
        var channels = config.Channels;
        if (images.dim() != 4 || !images.shape.AsSpan(1).SequenceEqual([channels, size, size]))
            throw new ArgumentException($"Got images {images.ShapeText()}; expected [batch, {channels}, {size}, {size}].",
                nameof(images));
        if (!images.is_floating_point())
            throw new ArgumentException($"Images are {images.dtype}; expected floating-point numbers, such as "
                + "images.to(float32) / 255.", nameof(images));
        using var scope = NewDisposeScope();
        var side = size / patch;
        var patches = images.reshape(-1, channels, side, patch, side, patch)
                            // [batch, row, column, channels, patch height, patch width]
                            .permute(0, 2, 4, 1, 3, 5)
                            .reshape(-1, side * side, channels * patch * patch);
        return (packed is null ? LinearProduct.Of(patches, weight.flatten(1), bias) : packed.Multiply(patches, bias))
            .MoveToOuterDisposeScope();
    }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        using var matrix = weight.flatten(1);
        packed = new PackedLinear(matrix, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(weight);
    }
}
