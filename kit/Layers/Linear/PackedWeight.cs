using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// A weight packed for inference. It is a submodule of its layer, so that it is disposed and listed with the
/// layer.
/// </summary>
/// <remarks>
/// It also blocks what a packed model does not support: training, saving, moving, casting and gradients throw.
/// </remarks>
internal abstract class PackedWeight : nn.Module
{
    private readonly List<Tensor> held = [];
    // each forward pass needs the memory that the previous one freed
    private readonly IDisposable memory = MallocTuning.Keep();

    protected PackedWeight(ScalarType dtype) : base(nameof(PackedWeight))
    {
        DType = dtype;
        RegisterComponents();   // called before the tensors exist, so that they do not become buffers
    }

    /// <summary>The packed model that contains this weight.</summary>
    public WeakReference<nn.Module>? Model { get; set; }

    /// <summary>Name of the kernel that multiplies, for reports.</summary>
    public abstract string Kernel { get; }

    /// <summary>Memory of the weight, in bytes.</summary>
    public virtual long Bytes => held.Sum(tensor => tensor.numel() * tensor.element_size());

    /// <summary>Dtype of the weight.</summary>
    public ScalarType DType { get; }

    public override void train(bool on = true)
    {
        if (on)
        {
            // modules above this one are already in training mode
            if (Model?.TryGetTarget(out var model) == true) model.eval();
            throw Refusal("trained");
        }
        base.train(on);
    }

    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null,
        string? prefix = null) => throw Refusal("saved or loaded");

    /// <summary>Throws if a gradient of the input is recorded.</summary>
    protected void CheckGradient(Tensor x)
    {
        if (x.requires_grad && is_grad_enabled()) throw Refusal("differentiated");
    }

    /// <summary>Creates the exception for an operation that models with such weights do not support.</summary>
    /// <param name="what">The operation as a participle, such as "trained".</param>
    public virtual InvalidOperationException Refusal(string what) => Packing.Refusal(what);

    /// <summary>Keeps a tensor until this object is disposed.</summary>
    protected Tensor Hold(Tensor tensor)
    {
        held.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>Replaces a kept tensor by another one, and disposes the old one.</summary>
    protected Tensor Exchange(Tensor old, Tensor tensor)
    {
        held[held.FindIndex(one => ReferenceEquals(one, old))] = tensor.DetachFromDisposeScope();
        old.Dispose();
        return tensor;
    }

    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) =>
        throw Refusal("moved or cast");

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) =>
        throw Refusal("moved or cast");

    protected override nn.Module _to(ScalarType dtype, bool non_blocking) => throw Refusal("moved or cast");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var tensor in held) tensor.Dispose();
            memory.Dispose();
        }
        base.Dispose(disposing);
    }
}
