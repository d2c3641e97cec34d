using ResearchKit.Layers;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Models packed for inference: the same numbers in less time.</summary>
/// <remarks>
/// Batch norms are folded into the convolutions before them, ReLU and residual additions happen inside of these, and weights are
/// laid out once for the kernel that is fastest on this machine. What is packed can infer and nothing else.
/// </remarks>
public static class InferencePacking
{
    extension(nn.Module model)
    {
        /// <summary>How this model was packed for inference: its kernels and bytes; null for an ordinary model.</summary>
        public Packing? Packing => Layers.Packing.Of(model);
    }

    extension<TModel>(TModel model) where TModel : nn.Module
    {
        /// <summary>A copy of this model, in evaluation mode, that does nothing but infer, faster.</summary>
        /// <remarks>
        /// The copy has weights of its own and stays as it is when the original is trained on. It takes any input that the
        /// original takes. In float32 its results are the original's in evaluation mode, within 1e-5 of the largest. It refuses
        /// hooks at hook points, training, gradients, saving, and being moved or cast. Hooks on layers that were fused are not
        /// called. Its inner blocks may write over what they are given, and memory that its passes free is kept for the next one
        /// until it is disposed of. While the copy is made, which takes milliseconds, tensors that other threads create without a
        /// device are made on the meta device. Pack before starting other threads.
        /// </remarks>
        /// <param name="dtype">
        /// Of the weights that multiply, float32 or bfloat16. In bfloat16 products are of rounded factors; what is between them
        /// stays float32, except for the maps of convolutional networks.
        /// </param>
        /// <returns>The caller's to dispose.</returns>
        /// <exception cref="ArgumentException">
        /// Another dtype, not a model of the kit, or a weight that is NaN or infinite.
        /// </exception>
        /// <exception cref="InvalidOperationException">The model is packed already.</exception>
        /// <exception cref="NotSupportedException">bfloat16 on a processor that has no instructions for it.</exception>
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
        if (dtype == ScalarType.BFloat16 && PortableMode.IsOn)
            throw new NotSupportedException(
                "A portable run multiplies bfloat16 in float32, so packed bfloat16 would gain nothing; pack in float32.");
        if (dtype == ScalarType.BFloat16 && model.parameters().FirstOrDefault()?.device_type is DeviceType.CPU
            && !Processor.MultipliesBFloat16)
            throw new NotSupportedException("This processor has no bfloat16 instructions (AVX512_BF16 or AMX), so that packed "
                + "bfloat16 would be slower than float32.");
    }

    /// <summary>Fused convolutions turn NaN into 0, so that a model that has diverged would look healthy.</summary>
    private static void CheckFinite(nn.Module model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
            if (parameter.device_type != DeviceType.META && !parameter.isfinite().all().item<bool>())
                throw new ArgumentException($"{name} holds NaN or infinity; a packed model would hide it.", nameof(model));
    }

    /// <summary>Gives the copy the original's tensors, without copying them yet.</summary>
    private static void Share(nn.Module model, nn.Module copy)
    {
        var original = Tensors(model);
        foreach (var (name, tensor) in Tensors(copy))
        {
            using var shared = original[name].detach();
            NativeTensors.Assign(tensor, shared);
        }
    }

    /// <summary>Packs the layers that can be; then the tensors that they left get memory of their own.</summary>
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
