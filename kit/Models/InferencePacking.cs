using ResearchKit.Layers;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Packs models for inference, which makes them faster with the same results.</summary>
/// <remarks>
/// Batch norms are folded into the preceding convolutions, ReLU and residual additions are fused into these,
/// and weights are laid out once for the kernel that is fastest on this machine. A packed model can only be
/// used for inference.
/// </remarks>
public static class InferencePacking
{
    extension(nn.Module model)
    {
        /// <summary>How this model was packed for inference: kernels and memory; null for an ordinary model.</summary>
        public Packing? Packing => Layers.Packing.Of(model);
    }

    extension<TModel>(TModel model) where TModel : nn.Module
    {
        /// <summary>Returns a copy of this model for inference only, in evaluation mode, which is faster.</summary>
        /// <remarks>
        /// The copy has its own weights and does not change when the original is trained further. It accepts the same
        /// inputs. In float32, its results differ from the original's in evaluation mode by at most 1e-5 of the largest
        /// value. It throws on hooks at hook points, training, gradients, saving, and moving or casting. Hooks on
        /// layers that were fused are not called. Its inner blocks may overwrite their inputs. Memory freed by a
        /// forward pass is kept for the next one until the copy is disposed. While the copy is created, which takes
        /// milliseconds, tensors that other threads create without a device are placed on the meta device: pack before
        /// starting other threads.
        /// </remarks>
        /// <param name="dtype">
        /// Dtype of the weights of matrix products and convolutions: float32 or bfloat16. In bfloat16, factors of
        /// products are rounded; everything in between stays float32, except for the feature maps of convolutional
        /// networks.
        /// </param>
        /// <returns>The caller disposes it.</returns>
        /// <exception cref="ArgumentException">
        /// The dtype is another one, the model is not one of the kit's, or a weight is NaN or infinite.
        /// </exception>
        /// <exception cref="InvalidOperationException">
        /// The model is packed already, has adapters that are not merged, or is prepared for quantization-aware training.
        /// </exception>
        /// <exception cref="NotSupportedException">
        /// The dtype is bfloat16, and the processor has no instructions for it or the run is portable.
        /// </exception>
        public TModel PackForInference(ScalarType dtype = ScalarType.Float32)
        {
            ArgumentNullException.ThrowIfNull(model);
            Check(model, dtype);
            CheckFinite(model);
            var copy = (TModel)MetaInitialization.Make(() => PackableModels.Like(model));
            try
            {
                Share(model, copy);
                Pack(copy, dtype);
                return copy;
            }
            catch
            {
                copy.Dispose();
                throw;
            }
        }
    }

    private static void Check(nn.Module model, ScalarType dtype)
    {
        if (dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
            throw new ArgumentException($"The type is {dtype}; a model is packed in float32 or bfloat16.", nameof(dtype));
        Layers.Packing.Refuse(model, "packed again");
        LowRankAdapter.RefuseUnmerged(model, "which packing would leave out");
        if (model.modules().OfType<IAdaptableLayer>().Any(layer => layer.TrainingScheme is not null))
            throw new InvalidOperationException("The model is prepared for quantization-aware training; convert it first.");
        if (dtype == ScalarType.BFloat16 && PortableMode.IsOn)
            throw new NotSupportedException(
                "A portable run multiplies bfloat16 in float32, so packed bfloat16 would gain nothing; pack in float32.");
        if (dtype == ScalarType.BFloat16 && model.parameters().FirstOrDefault()?.device_type is DeviceType.CPU
            && !Processor.MultipliesBFloat16)
            throw new NotSupportedException("This processor has no bfloat16 instructions (AVX512_BF16 or AMX), so that packed "
                + "bfloat16 would be slower than float32.");
    }

    /// <summary>
    /// Throws if a parameter is not finite: fused convolutions turn NaN into 0, which would hide that a model has
    /// diverged.
    /// </summary>
    private static void CheckFinite(nn.Module model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
            if (parameter.device_type != DeviceType.META && !parameter.isfinite().all().item<bool>())
                throw new ArgumentException($"{name} holds NaN or infinity, which a packed model would hide.", nameof(model));
    }

    /// <summary>Lets the copy share the original's tensors, without copying them yet.</summary>
    private static void Share(nn.Module model, nn.Module copy)
    {
        var original = Tensors(model);
        foreach (var (name, tensor) in Tensors(copy))
        {
            using var shared = original[name].detach();
            NativeTensors.Assign(tensor, shared);
        }
    }

    /// <summary>Packs the layers that support it, then copies the remaining shared tensors.</summary>
    private static void Pack(nn.Module copy, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        copy.eval();
        foreach (var layer in copy.modules().OfType<IPackableLayer>().ToList()) layer.Pack(dtype);
        var root = new WeakReference<nn.Module>(copy);
        foreach (var packed in copy.modules().OfType<PackedWeight>()) packed.Model = root;
        foreach (var tensor in Tensors(copy).Values.Where(tensor => !IsEmptied(tensor)))
        {
            using var own = tensor.is_floating_point() ? tensor.detach().to(ScalarType.Float32, copy: true)
                : tensor.detach().clone();
            NativeTensors.Assign(tensor, own);
        }
    }

    private static Dictionary<string, Tensor> Tensors(nn.Module model) =>
        model.named_parameters().Select(pair => (pair.name, (Tensor)pair.parameter))
        .Concat(model.named_buffers().Select(pair => (pair.name, pair.buffer)))
        .ToDictionary(pair => pair.name, pair => pair.Item2);

    private static bool IsEmptied(Tensor tensor) =>
        tensor.numel() > 1 && tensor.shape.Zip(tensor.stride()).All(axis => axis.First == 1 || axis.Second == 0);
}
